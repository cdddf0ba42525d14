"""Writing without waiting, whatever stands behind a descriptor.

Whether writes wait is a property of the open file, which a standard stream
shares with the shell, the container or the service manager that gave it to us,
and with everybody else they gave it to. So O_NONBLOCK is never set on it: what
can be opened a second time is, and the rest is asked before it is written to.
"""

import os
import stat
from _socket import MSG_DONTWAIT, MSG_NOSIGNAL, socket

# Taken before anything is patched: these never switch to another greenlet.
from select import PIPE_BUF, POLLOUT, poll

#: Bytes for one write to a file: all there are.
WHOLE = 1 << 30


class Channel:
    """A descriptor of our own: a file, where a write does not wait long, or one opened not to wait.

    To -1 every write fails.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        #: Bytes of whole lines that one write takes all of or nothing, so that other processes' lines stay whole too.
        self.piece = PIPE_BUF if is_stream(descriptor) else WHOLE

    def write(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def await_room(self, seconds: float) -> bool:
        """Wait until something can be written; return False if it cannot after so long."""
        asked = poll()
        asked.register(self._descriptor, POLLOUT)
        return bool(asked.poll(seconds * 1000))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class SharedChannel(Channel):
    """A pipe or a terminal that we may not open again.

    A pipe has room for a whole piece if it has room at all. Two things can
    still make a write wait: another process that fills the pipe between the
    question and the write, and a person who stops the terminal.
    """

    def write(self, data: bytes) -> int:
        if not self.await_room(0):
            raise BlockingIOError
        return super().write(data[:PIPE_BUF])


class SocketChannel(Channel):
    """A stream of the service manager, such as that of systemd's journal."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        # Not gevent's: that would set O_NONBLOCK for everybody.
        self._socket = socket(fileno=self._descriptor)

    def write(self, data: bytes) -> int:
        return self._socket.send(data, MSG_DONTWAIT | MSG_NOSIGNAL)

    def close(self) -> None:
        self._socket.detach()
        super().close()


def is_stream(descriptor: int) -> bool:
    """Tell whether it is a pipe or a terminal; whoever reads it may be slow."""
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode) or os.isatty(descriptor)
    except OSError:
        return False


def reach(descriptor: int) -> Channel:
    """Return a way of our own to what a shared descriptor stands for; one to which every write fails, if that is nothing."""
    try:
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return SocketChannel(os.dup(descriptor))
        return reopen_stream(descriptor) if is_stream(descriptor) else Channel(os.dup(descriptor))
    except OSError:
        return Channel(-1)


def reopen_stream(descriptor: int) -> Channel:
    """Open what the descriptor stands for once more; the system may refuse, to another user's pipe for one."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return Channel(os.open(f"/proc/self/fd/{descriptor}", flags))
    except OSError:
        return SharedChannel(os.dup(descriptor))
