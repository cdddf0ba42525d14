"""A descriptor that says whether there is anything to receive, wherever it waits.

Libraries that send pings wait for a socket's descriptor and not in recv(). A
socket knows nothing of bytes that have left it: those that came behind the
handshake, and those that were decrypted together with others.
"""

import os

from gevent.monkey import get_original

#: As long as somebody may wait for the descriptor, level-triggered.
_READABLE = 0x001 | 0x2000

#: Elsewhere than on Linux such bytes are noticed when the next ones come.
AVAILABLE = hasattr(os, "eventfd")


class Gauge:
    """Readable while the socket is, or while `show` has said that there is more."""

    def __init__(self, fd: int) -> None:
        self._epoll = get_original("select", "epoll")()
        self._more = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._shown = False
        self._epoll.register(fd, _READABLE)
        self._epoll.register(self._more, _READABLE)

    def fileno(self) -> int:
        return int(self._epoll.fileno())

    def show(self, more: bool) -> None:
        """Say whether there are bytes that the socket does not know of."""
        if more and not self._shown:
            os.eventfd_write(self._more, 1)
        elif self._shown and not more:
            os.eventfd_read(self._more)
        self._shown = more

    def close(self) -> None:
        self._epoll.close()
        os.close(self._more)
