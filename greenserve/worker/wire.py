"""The raw end of an accepted socket: bytes that can move at once, and what is known of those that cannot.

No gevent socket object, which would try first and pay for an exception on every
wait. `_wire` is the compiled twin, with the descriptor alone and no socket object.
"""

import _socket
import os
import socket
import struct
from contextlib import suppress
from time import monotonic
from typing import Any

from gevent import get_hub

from greenserve.errors import ClientDisconnected

#: The numbers of <sys/epoll.h>; poll's are the same.
READABLE = 0x001
WRITABLE = 0x004
FAILED = 0x008 | 0x010
HALF_CLOSED = 0x2000

#: What reading may wait for, and what writing may: a client that has sent its
#: last byte (FIN) can still be written to.
TO_READ = READABLE | HALF_CLOSED | FAILED
TO_WRITE = WRITABLE | FAILED

NEVER = float("inf")

#: Asks the kernel to wait for more before it sends a packet; it waits for 200 ms at the most.
_MORE = getattr(socket, "MSG_MORE", 0)
_NO_LINGER = struct.pack("ii", 1, 0)

Pieces = list[bytes | memoryview]

#: The clock of all deadlines, in seconds: nobody sets it, so no deadline moves when somebody sets the time.
now = monotonic


class DeadlineExceeded(Exception):
    """What was waited for did not come in time. Never leaves the worker's own code."""


class Wire:
    """A non-blocking socket, the events on it that are not used up, and the greenlet that waits for one.

    Edges are reported once. They are forgotten here, when the kernel says that
    it would block or has given all, and nowhere else.
    """

    __slots__ = ("_socket", "awaited", "deadline", "fd", "greenlet", "held", "seen", "sleeper", "watched")

    def __init__(self, accepted: Any) -> None:
        self._socket = accepted
        self.fd: int = accepted.fileno()
        #: Whether anybody notes events. Not before the first wait: a client
        #: that is answered and closed in one go never needs it.
        self.watched = False
        self.seen = 0
        self.awaited = 0
        self.greenlet: Any = None
        #: On the clock of `now`, in seconds; it counts only while somebody waits.
        self.deadline = NEVER
        #: What to run in a new greenlet when there is something to read or the deadline has passed,
        #: for who waits without one.
        self.sleeper: Any = None
        #: Whether the kernel may hold bytes back until the loop has turned.
        self.held = False

    @property
    def socket(self) -> Any:
        """The socket itself, for who needs more than bytes."""
        return self._socket

    def receive_now(self, size: int) -> bytes | None:
        """Return what is there, at most *size* bytes; None if it is nothing, b"" if the client has finished sending."""
        try:
            data: bytes = self._socket.recv(size)
        except BlockingIOError:
            # Also the events that end a connection: were they real, there would have been an answer.
            self.seen &= ~TO_READ
            return None
        except OSError as error:
            raise ClientDisconnected(f"the client is gone: {error}") from None
        if len(data) < size:
            self.seen &= ~READABLE
        return data

    def send_now(self, data: bytes, more: bool) -> int:
        """Send what the kernel takes of *data*; return how many bytes, -1 if it takes none.

        With *more* it may wait for what comes next before it sends a packet that is not full.
        """
        return self.send_pieces_now([data], more)

    def send_pieces_now(self, pieces: Pieces, more: bool) -> int:
        """Send what the kernel takes of all the *pieces* in one go."""
        flags = _MORE if more else 0
        try:
            sent: int = self._socket.send(pieces[0], flags) if len(pieces) == 1 else self._socket.sendmsg(pieces, (), flags)
        except BlockingIOError:
            self.seen &= ~WRITABLE
            return -1
        except OSError as error:
            raise ClientDisconnected(f"the client is gone: {error}") from None
        self.held = more
        return sent

    def send_file_now(self, file: int, offset: int, count: int) -> int:
        """Send what the kernel takes of an open file at once; return how many bytes, -1 if it takes none. Raises OSError."""
        try:
            return os.sendfile(self.fd, file, offset, count)
        except BlockingIOError:
            self.seen &= ~WRITABLE
            return -1

    def push(self) -> None:
        """Make the kernel send what it holds back."""
        # A unix socket holds nothing back.
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = False

    def finish_sending(self) -> None:
        """Say that nothing more will be sent."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def drop_unsent(self) -> None:
        """Make closing free at once what the kernel holds for the client, which else would be there until it is taken."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def close(self) -> None:
        self.fd = -1
        self._socket.close()


class Held:
    """The wires whose last bytes the kernel holds back, until the loop has turned: what is sent in one turn leaves together."""

    def __init__(self) -> None:
        self._wires: list[Wire] = []

    def add(self, wire: Wire) -> None:
        if not self._wires:
            get_hub().loop.run_callback(self._push)
        self._wires.append(wire)

    def _push(self) -> None:
        wires, self._wires = self._wires, []
        for wire in wires:
            if wire.held and wire.fd >= 0:
                wire.push()


class Listener:
    """What connections are taken from: a non-blocking socket of gevent's."""

    def __init__(self, listener: Any) -> None:
        self._socket = listener

    def accept(self) -> tuple[Wire, Any] | None:
        """Return the next connection and who it is from, None if there is none. Raises OSError."""
        listener = self._socket
        try:
            descriptor, peer = listener._accept()
        except BlockingIOError:
            return None
        return wrap(_socket.socket(listener.family, listener.type, listener.proto, fileno=descriptor)), peer


def wrap(accepted: Any) -> Wire:
    """Return the wire of a socket that nobody else uses any more."""
    accepted.setblocking(False)
    return Wire(accepted)
