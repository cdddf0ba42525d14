"""The whole conversation between the master and one worker, on one page.

Each side holds one end of a socket pair and both use this code: the master in
its loop, the worker beside its hub. Nothing here waits. A message is one line
of JSON, `["Name", field, ...]`; a line that is not one is dropped, because a
worker that went mad must not take the master with it.
"""

import json
import socket
from typing import Any, NamedTuple

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


# From the master to a worker.


class Drain(NamedTuple):
    """Accept no more, finish what was accepted within `grace` seconds, exit."""

    grace: float


class Relieved(NamedTuple):
    """The replacement of a worker that lingers is ready."""


class ReopenLogs(NamedTuple):
    """Open the log files anew; somebody moved them."""


# From anyone to the master.


class Command(NamedTuple):
    """Do what the signal of that name does: `reload`, `reopen`, `stop`, `grow`, `shrink`."""

    name: str


Message = Hello | Ready | Failed | Retire | Withdrawn | Relieved | Drain | ReopenLogs | Command

_KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (Hello, Ready, Failed, Retire, Withdrawn, Relieved, Drain, ReopenLogs, Command)
}


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
                data = self._end.recv(MAX_MESSAGE)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.closed = not data
            self._unread = (self._unread + data)[-2 * MAX_MESSAGE :]
        *lines, self._unread = self._unread.split(b"\n")
        return [message for line in lines if (message := decode_message(line)) is not None]

    def close(self) -> None:
        self.closed = True
        self._end.close()


def adopt_mailbox(descriptor: int) -> Mailbox:
    """Return the end of a conversation that was handed to this process as a number."""
    end = socket.socket(fileno=descriptor)
    end.set_inheritable(False)
    return Mailbox(end)


def open_mailboxes() -> tuple[Mailbox, Mailbox]:
    """Return the master's end and the worker's end of a new conversation."""
    ours, theirs = socket.socketpair()
    return Mailbox(ours), Mailbox(theirs)
