"""`wsgi.websocket`: what applications look for where gevent-websocket is installed.

Their WebSocket, not one of ours, on a stream that accepts the handshake when
the first message is sent or waited for. Offered beside `gunicorn.socket`: the
application uses the one or the other.
"""

import logging
from functools import cache
from types import SimpleNamespace
from typing import Any

from greenserve.protocol.upgrade import make_acceptance
from greenserve.worker.tunnel import Tunnel

#: What a WebSocket asks of the handler that made it: an application that wants to hear of the end, and a logger.
HANDLER = SimpleNamespace(server=SimpleNamespace(application=None), logger=logging.getLogger("geventwebsocket"))


class Stream:
    """Where a WebSocket reads whole frames from and writes them to."""

    def __init__(self, tunnel: Tunnel, environ: dict[str, Any]) -> None:
        self._tunnel = tunnel
        self._environ = environ
        self._accepted = False

    def read(self, size: int) -> bytes:
        """Return *size* bytes, fewer if the client has left."""
        self._accept()
        data = bytearray()
        while len(data) < size and (piece := self._tunnel.receive(size - len(data))):
            data += piece
        return bytes(data)

    def write(self, data: bytes | bytearray) -> None:
        self._accept()
        self._tunnel.send(bytes(data))

    def _accept(self) -> None:
        if not self._accepted:
            self._accepted = True
            self._tunnel.send(make_acceptance(self._environ))


@cache
def find_websocket() -> Any:
    """Return the class WebSocket of gevent-websocket, None if that is not installed."""
    try:
        from geventwebsocket.websocket import WebSocket
    except ImportError:
        return None
    # Theirs closes itself when it is collected, which would accept a handshake that nobody wanted.
    return type("WebSocket", (WebSocket,), {"__slots__": (), "__del__": lambda self: None})


def offer_websocket(tunnel: Tunnel, environ: dict[str, Any]) -> None:
    """Put a WebSocket into *environ*, where an application may look for one."""
    kind = find_websocket()
    if kind is not None:
        environ["wsgi.websocket"] = kind(environ, Stream(tunnel, environ), HANDLER)
        environ["wsgi.websocket_version"] = environ["HTTP_SEC_WEBSOCKET_VERSION"]
