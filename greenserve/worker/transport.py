"""Bytes in and out of one accepted socket, waiting without holding up anyone else.

What can be done at once is the wire's; here is how long to wait for the rest.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from sys import byteorder
from termios import TIOCOUTQ
from typing import Any, NamedTuple

from gevent import sleep

from greenserve.errors import ClientDisconnected
from greenserve.status import Row
from greenserve.worker.readiness import Waiter, wait_beside
from greenserve.worker.wire import TO_READ, TO_WRITE, DeadlineExceeded, Pieces, Wire, now

RECEIVE_SIZE = 65536

NOTHING: dict[str, str] = {}

#: Up to so many bytes one copy is cheaper than a list for the kernel to gather.
JOINED = 65536

#: How much of a file the kernel is asked to send at once: it may have to fetch it from a disk, and nobody else runs meanwhile.
FILE_PART = 262_144

NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 0)
UNLIMITED = 0x7FFFFFFF

#: After so many seconds without a wait the others get a turn: a client that
#: pipelines, or a generator that never waits, must not own the worker. Time is
#: taken from the fourth step without a wait on; most exchanges have two.
TURN = 0.005
FREE_STEPS = 4


#: For a connection on which both sides talk. Without the first a message may wait 40 ms for the last one to be
#: acknowledged; with the others the kernel finds within two minutes that a silent client is no longer there.
CONVERSATION = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", -1), 60),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", -1), 20),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", -1), 3),
]


def skip(pieces: Pieces, count: int) -> Pieces:
    """Return *pieces* without their first *count* bytes."""
    for index, piece in enumerate(pieces):
        if count < len(piece):
            return [memoryview(piece)[count:], *pieces[index + 1 :]]
        count -= len(piece)
    return []


def join(pieces: tuple[bytes, ...]) -> bytes:
    """Return *pieces* as one. There are seldom more than a head and a block."""
    if len(pieces) == 1:
        # The compiled wire wants bytes, and nothing made of them.
        return pieces[0] if type(pieces[0]) is bytes else bytes(pieces[0])
    if len(pieces) == 2:
        return pieces[0] + pieces[1]
    return b"".join(pieces)


class Patience(NamedTuple):
    """How long a client may take over what is sent to it."""

    #: Seconds after which the client is looked at, and for which it must have kept the rate.
    timeout: float
    #: Bytes per second; 0 is satisfied by a single byte.
    rate: int
    row: Row

    def satisfied_by(self, taken: int) -> bool:
        return taken > 0 and taken >= self.rate * self.timeout


class Transport:
    """One accepted socket. Raises ClientDisconnected once the other side is gone."""

    __slots__ = ("_linger_end", "_patience", "_shared", "_steps", "_turn_began", "_unsent_limit", "_waiter", "wire")

    #: Whether bytes may wait here that have left the socket, and how many do.
    buffers = False
    pending = 0

    def __init__(self, wire: Wire, waiter: Waiter, patience: Patience) -> None:
        self.wire = wire
        self._waiter = waiter
        self._patience = patience
        #: Steps since the last wait, and the time of the fourth.
        self._steps = 0
        self._turn_began = 0.0
        self._shared = False
        #: How much the kernel may hold unsent of what is not a file; 0 while that is in force.
        self._unsent_limit = 0
        #: On the clock of `now`, in seconds.
        self._linger_end = 0.0

    def open(self, deadline: float) -> dict[str, str]:
        """Nothing comes before HTTP here, and environ gets nothing from it."""
        return NOTHING

    @property
    def socket(self) -> Any:
        """The accepted socket, for who needs more than bytes."""
        return self.wire.socket

    @property
    def carrier(self) -> "Transport":
        """What moves the bytes: this itself, or what is below TLS."""
        return self

    def receive(self, deadline: float, size: int = RECEIVE_SIZE) -> bytes:
        """Return what the client sent next, at most *size* bytes, b"" if it has finished sending.

        Raises DeadlineExceeded when the clock passes *deadline*.
        """
        wire = self.wire
        if wire.watched and not wire.seen & TO_READ:
            self._wait(TO_READ, deadline)
        while (data := wire.receive_now(size)) is None:
            self._wait(TO_READ, deadline)
        return data

    def receive_now(self, size: int = RECEIVE_SIZE) -> bytes | None:
        """Return what is there already; None if there is nothing."""
        return self.wire.receive_now(size)

    def sleep(self, deadline: float, sleeper: Callable[[], None]) -> None:
        """Let *sleeper* have a new greenlet when the client sends something, or leaves, or the clock passes *deadline*."""
        self._waiter.sleep(self.wire, deadline, sleeper)

    def send(self, *pieces: bytes) -> None:
        """Send all the *pieces* in one go, to a client that takes them in time.

        What is small is joined, what is large is not copied: a thousand slow
        readers of one large answer must not cost a thousand copies of it.
        """
        self._send_all(pieces, False)

    def stream(self, *pieces: bytes) -> None:
        """Send *pieces*, with what follows in this turn of the loop or without."""
        self._send_all(pieces, True)
        self._waiter.hold(self.wire)

    def _send_all(self, pieces: tuple[bytes, ...], more: bool) -> None:
        if self._unsent_limit:
            self._limit_again()
        size = 0
        for piece in pieces:
            size += len(piece)
        if len(pieces) > 1 and size > JOINED:
            self._send_rest(list(pieces), 0, more)
        else:
            data = join(pieces)
            sent = self.wire.send_now(data, more)
            if sent < size:
                self._send_rest([data], sent, more)
        self.take_turns()

    def _send_rest(self, pieces: Pieces, sent: int, more: bool) -> None:
        """Send what is left of *pieces* when the kernel has taken *sent* bytes, -1 if it takes none now."""
        while pieces := skip(pieces, max(sent, 0)):
            if sent < 0:
                self._wait_to_write()
            sent = self.wire.send_pieces_now(pieces, more)

    def send_file(self, file: int, offset: int, count: int) -> int:
        """Send some of *count* bytes of an open file from *offset* on; return how many, 0 at its end.

        The kernel copies them by itself where it can.
        """
        try:
            self._let_pile_up(count)
            while (sent := self.wire.send_file_now(file, offset, min(count, FILE_PART))) < 0:
                self._wait_to_write()
        except ClientDisconnected:
            raise
        except OSError:
            # The file's fault or the client's, or both are fine and sendfile is not for them: two separate calls will tell.
            return self.copy_file(file, offset, count)
        self.take_turns()
        return sent

    def _let_pile_up(self, count: int) -> None:
        """Let the kernel hold more of a large file than of other content: it has those pages anyway.

        Else it asks for the rest in small pieces, which takes twice the time of the processor.
        """
        if count > FILE_PART and not self._unsent_limit and NOTSENT_LOWAT:
            # A unix socket has none.
            with suppress(OSError):
                self._unsent_limit = self.socket.getsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT)
                self.socket.setsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT, UNLIMITED)

    def _limit_again(self) -> None:
        """Let the kernel hold no more than the listener allows, for what follows is not a file."""
        limit, self._unsent_limit = self._unsent_limit, 0
        with suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT, limit)

    def copy_file(self, file: int, offset: int, count: int) -> int:
        """Do what `send_file` does where the kernel cannot."""
        block = os.pread(file, min(count, RECEIVE_SIZE), offset)
        if block:
            self.send(block)
        return len(block)

    def send_now(self, data: bytes) -> None:
        """Send what the kernel takes of *data* at once; for last words that nobody relies on."""
        if data:
            with suppress(ClientDisconnected):
                self.wire.send_now(data, False)

    def _wait_to_write(self) -> None:
        """Wait for room, as long as the client takes what the kernel holds for it.

        The kernel tells of room only when much of its buffer is free, which a
        slow client may need minutes for; how much it still holds tells more.
        """
        patience = self._patience
        held = self._count_unsent()
        while True:
            try:
                return self._wait_for_room(now() + patience.timeout)
            except DeadlineExceeded:
                left = self._count_unsent()
                if not patience.satisfied_by(held - left):
                    patience.row["deadlines_write"] += 1
                    self.wire.drop_unsent()
                    raise ClientDisconnected(f"the client took {held - left} bytes in {patience.timeout:g} s") from None
                held = left

    def _wait_for_room(self, deadline: float) -> None:
        if self._shared:
            wait_beside(self.wire.fd, deadline)
        else:
            self._wait(TO_WRITE, deadline)

    def _count_unsent(self) -> int:
        """Return how many bytes the kernel still holds for the client."""
        return int.from_bytes(ioctl(self.wire.fd, TIOCOUTQ, bytes(4)), byteorder)

    def take_turns(self) -> None:
        """Let others run if this connection has had its time."""
        self._steps += 1
        if self._steps < FREE_STEPS:
            return
        if self._steps == FREE_STEPS:
            self._turn_began = now()
        elif now() - self._turn_began > TURN:
            sleep(0)
            self._steps = 0

    def _wait(self, events: int, deadline: float) -> None:
        self._waiter.wait(self.wire, events, deadline)
        self._steps = 0

    def interrupt(self) -> None:
        """End the present wait, or linger, as if its deadline had passed; called in the hub."""
        self._linger_end = 0.0
        self._waiter.interrupt(self.wire)

    def hasten(self, deadline: float) -> None:
        """Bring the deadline of the present wait, or linger, forward to *deadline*."""
        self._linger_end = min(self._linger_end, deadline)
        self.wire.deadline = min(self.wire.deadline, deadline)

    def share(self) -> None:
        """From now on one greenlet may send while another receives, in small messages and with long silences."""
        self._shared = True
        # A unix socket has few of these options.
        for level, option, value in CONVERSATION:
            with suppress(OSError):
                self.socket.setsockopt(level, option, value)

    def cut(self) -> None:
        """Let the end look like an accident, which TCP alone has no word for."""

    def finish_sending(self) -> None:
        """Say that nothing more will be sent."""
        self.wire.finish_sending()

    def linger(self, end: float, silence: float) -> None:
        """Say that nothing more will be sent, then drop what the client still sends.

        That lasts until the clock passes *end*, or the client has sent nothing
        for *silence* seconds, or it has read the answer and closed.

        Closing with unread bytes makes the kernel reset the connection, and the
        client loses the answer that it has not read yet.
        """
        self.finish_sending()
        self._linger_end = end
        try:
            while (moment := now()) < self._linger_end and self.receive(min(self._linger_end, moment + silence)):
                self.take_turns()
        except (OSError, DeadlineExceeded):
            pass

    def close(self) -> None:
        self._waiter.forget(self.wire)
        self.wire.close()
