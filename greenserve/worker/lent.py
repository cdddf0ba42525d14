"""`gunicorn.socket`: a tunnel that looks like the blocking socket libraries expect.

Semantics are those of Python's socket module. What it cannot do without
leaving the tunnel (dup, detach) is not there.
"""

import errno
import io
import os
import socket
from types import TracebackType
from typing import Any

from gevent import Timeout

from greenserve.worker.tunnel import Tunnel


class LentSocket:
    """Lent to the application with a request; it need not be given back."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self._timeout: float | None = None

    # Bytes.

    def recv(self, size: int, flags: int = 0) -> bytes:
        refuse_flags(flags)
        if self._timeout == 0:
            return self._recv_now(size)
        with Timeout(self._timeout, TimeoutError("timed out")):
            return self._tunnel.receive(size)

    def _recv_now(self, size: int) -> bytes:
        data = self._tunnel.receive_now(size)
        if data is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send all of *data*, so that libraries which never look at what is returned lose nothing."""
        sent = memoryview(data).cast("B")
        refuse_flags(flags & ~socket.MSG_NOSIGNAL)
        self._tunnel.send(data if isinstance(data, bytes) else bytes(sent))
        return len(sent)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.send(data, flags)

    def makefile(self, mode: str = "r", buffering: int | None = None, **text: Any) -> Any:
        """Return a file on this socket; closing it does not close the socket."""
        raw = LentFile(self, "r" in mode or "w" not in mode, "w" in mode)
        if buffering == 0:
            return raw
        size = buffering if buffering is not None and buffering > 0 else io.DEFAULT_BUFFER_SIZE
        file = self._buffer(raw, size)
        return file if "b" in mode else io.TextIOWrapper(file, **text)

    def _buffer(self, raw: "LentFile", size: int) -> Any:
        if raw.readable() and raw.writable():
            return io.BufferedRWPair(raw, raw, size)
        return io.BufferedReader(raw, size) if raw.readable() else io.BufferedWriter(raw, size)

    # Waiting.

    def settimeout(self, timeout: float | None) -> None:
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, blocking: bool) -> None:
        self._timeout = None if blocking else 0.0

    def getblocking(self) -> bool:
        return self._timeout != 0

    def fileno(self) -> int:
        """Return the descriptor to wait for, -1 once the socket is closed."""
        return self._tunnel.descriptor()

    # The end.

    def shutdown(self, how: int) -> None:
        self._tunnel.take()
        if how in (socket.SHUT_WR, socket.SHUT_RDWR):
            self._tunnel.finish_sending()
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self._tunnel.finish_receiving()

    def close(self) -> None:
        self._tunnel.close()

    def __enter__(self) -> "LentSocket":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # What the socket below knows.

    def __getattr__(self, name: str) -> Any:
        if name in PASSED_ON:
            return getattr(self._tunnel.transport.socket, name)
        raise AttributeError(f"the socket of a tunnel has no {name!r}")


#: Of these the tunnel takes no notice.
PASSED_ON = frozenset({"family", "type", "proto", "getpeername", "getsockname", "getsockopt", "setsockopt"})


def refuse_flags(flags: int) -> None:
    if flags:
        raise OSError(errno.EOPNOTSUPP, f"flags {flags:#x} have no meaning in a tunnel")


class LentFile(io.RawIOBase):
    def __init__(self, lent: LentSocket, readable: bool, writable: bool) -> None:
        self._lent = lent
        self._readable = readable
        self._writable = writable

    def readable(self) -> bool:
        return self._readable

    def writable(self) -> bool:
        return self._writable

    def fileno(self) -> int:
        return self._lent.fileno()

    def readinto(self, buffer: Any) -> int:
        return self._lent.recv_into(buffer)

    def write(self, data: Any) -> int:
        return self._lent.send(data)
