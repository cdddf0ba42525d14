"""The whole conversation between the master and one worker, or a mold, on one page.

Each side holds one end of a socket pair and both use this code: the master in
its loop, the worker beside its hub. Nothing here waits. A message is one line
of JSON, `["Name", field, ...]`; a line that is not one is dropped, because a
worker that went mad must not take the master with it.
"""

import json
import os
import socket
from typing import Any, NamedTuple, get_args

#: A worker's longest message is the screen of an application that failed to load.
MAX_MESSAGE = 65536


# From a worker to the master.


class Hello(NamedTuple):
    """Patched, and about to load the application: what this process runs on."""

    gevent: str
    loop: str
    code: str


class Ready(NamedTuple):
    """The application is loaded and the worker accepts connections."""

    boot_seconds: float


class Failed(NamedTuple):
    """The worker cannot start and is about to exit. `screen` is ready to print."""

    exit_code: int
    screen: str


class Retire(NamedTuple):
    """The worker has served its time and asks for a replacement; it goes on until it is drained.

    One that `lingers` leaves by itself, some time after it was Relieved. `grace`
    is given where it should have less time to finish than graceful_timeout.
    """

    reason: str
    lingers: bool = False
    grace: float | None = None


class Withdrawn(NamedTuple):
    """Told to drain, the worker accepts no more; what it has accepted it goes on to finish."""


class Molded(NamedTuple):
    """The application is loaded, and *pid* is the mold with it; 0 if there is none."""

    pid: int


# From the master to a worker.


class Drain(NamedTuple):
    """Accept no more, finish what was accepted within `grace` seconds, exit."""

    grace: float


class Relieved(NamedTuple):
    """The replacement of a worker that lingers is ready."""


class ReopenLogs(NamedTuple):
    """Open the log files anew; somebody moved them."""


# Between the master and a mold.


class Cast(NamedTuple):
    """Fork worker `number`; the worker's end of its own mailbox comes with this."""

    number: int


class Born(NamedTuple):
    """That worker is the master's child `pid`; 0 if it could not be forked."""

    pid: int


# From anyone to the master.


class Command(NamedTuple):
    """Do what the signal of that name does: `reload`, `reopen`, `stop`, `grow`, `shrink`."""

    name: str


Message = Hello | Ready | Failed | Retire | Withdrawn | Molded | Relieved | Drain | ReopenLogs | Cast | Born | Command

_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Message)}


def encode_message(message: Message) -> bytes:
    return json.dumps([type(message).__name__, *message]).encode() + b"\n"


def decode_message(line: bytes) -> Message | None:
    """Return the message in *line*, or None if it is not one of ours."""
    try:
        name, *fields = json.loads(line)
        message: Message = _KINDS[name](*fields)
    except (ValueError, TypeError, KeyError):
        return None
    return message


class Mailbox:
    """One end of the conversation. `closed` says that the other end is gone."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._unread = b""
        self.closed = False

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: Message) -> bool:
        """Send *message* whole, or return False: the other end is gone or does not read."""
        try:
            # A socket pair takes a line this short whole or not at all, unless
            # nobody has read for a hundred kilobytes.
            return self._end.send(encode_message(message)) > 0
        except OSError:
            return False

    def receive(self) -> list[Message]:
        """Return what has arrived since the last call, perhaps nothing."""
        while not self.closed:
            try:
                data = self._read()
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.closed = not data
            self._unread = (self._unread + data)[-2 * MAX_MESSAGE :]
        *lines, self._unread = self._unread.split(b"\n")
        return [message for line in lines if (message := decode_message(line)) is not None]

    def _read(self) -> bytes:
        return self._end.recv(MAX_MESSAGE)

    def hand_over(self, message: Message, end: "Mailbox") -> bool:
        """Send *message* with the *end* of another conversation, of which this process may then close its copy."""
        try:
            return socket.send_fds(self._end, [encode_message(message)], [end.fileno()]) > 0
        except OSError:
            return False

    def close(self) -> None:
        self.closed = True
        self._end.close()


class MoldMailbox(Mailbox):
    """A mold's end. What is handed over with messages is in `handed`, in their order."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__(end)
        self.handed: list[int] = []

    def _read(self) -> bytes:
        data, descriptors, _, _ = socket.recv_fds(self._end, MAX_MESSAGE, 1)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self.handed += descriptors
        return data


def adopt_mailbox(descriptor: int) -> Mailbox:
    """Return the end of a conversation that was handed to this process as a number."""
    end = socket.socket(fileno=descriptor)
    end.set_inheritable(False)
    return Mailbox(end)


def open_mailboxes() -> tuple[Mailbox, Mailbox]:
    """Return the master's end and the worker's end of a new conversation."""
    ours, theirs = socket.socketpair()
    return Mailbox(ours), Mailbox(theirs)


def open_mold_mailboxes() -> tuple[Mailbox, MoldMailbox]:
    """Return the master's end and the mold's end of a new conversation."""
    ours, theirs = socket.socketpair()
    return Mailbox(ours), MoldMailbox(theirs)
