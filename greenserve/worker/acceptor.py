"""Takes connections from one listener and gives each a greenlet.

gevent's StreamServer with two differences: the accepted socket stays a raw
one, since readiness waits for it, and accepting rests while the worker is full.
"""

import _socket
import socket
from collections.abc import Callable
from typing import Any

from gevent import spawn_raw
from gevent.server import StreamServer

Handle = Callable[[Any, Any], None]


class Acceptor(StreamServer):  # type: ignore[misc]  # gevent has no types
    """Accepts from a listener that is shared with other workers.

    *handle* is called in a greenlet of its own with a raw non-blocking socket
    and the peer's address; *is_full* says when to rest.
    """

    # One at a time: another worker may be less busy than we are about to be.
    max_accept = 1

    def __init__(self, listener: socket.socket, handle: Handle, is_full: Callable[[], bool]) -> None:
        super().__init__(listener, handle, spawn=spawn_raw)
        self.full = is_full

    def do_read(self) -> tuple[Any, Any] | None:
        try:
            descriptor, peer = self.socket._accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        accepted = _socket.socket(self.socket.family, self.socket.type, self.socket.proto, fileno=descriptor)
        accepted.setblocking(False)
        return accepted, peer

    def resume(self) -> None:
        """Accept again after a rest."""
        if self.started and not self.full():
            self.start_accepting()

    def finish(self) -> None:
        """Take what waits in the listener's queue already, then accept no more."""
        while (taken := self.do_read()) is not None:
            self.do_handle(*taken)
        self._stop_event.set()
        self.stop_accepting()
