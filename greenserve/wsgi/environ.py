"""The part of environ that does not come from the request head.

Built once for a listener and once more for a connection; a request adds its
own to a copy.
"""

import sys
from collections.abc import Callable
from typing import Any

from greenserve import __version__
from greenserve.wsgi.file_wrapper import FileWrapper

SERVER_SOFTWARE = f"greenserve/{__version__}"


class ErrorStream:
    """`wsgi.errors`: text for the error log, written as it is given."""

    def __init__(self, write_text: Callable[[str], object]) -> None:
        self._write_text = write_text

    def write(self, text: str) -> int:
        self._write_text(text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing waits here."""


def always() -> bool:
    return True


def listener_environ(
    address: Any,
    *,
    multiprocess: bool,
    errors: ErrorStream,
    tls: bool = False,
    ready: Callable[[], bool] = always,
    draining: Any = None,
) -> dict[str, Any]:
    """Return what every request that comes through one listener shares.

    *address* is what `getsockname()` says: (host, port, ...), or the path of a
    unix socket, whose requests get the server name "localhost".
    *ready* tells whether a load balancer should send more; *draining* is an
    event, set once this worker is to go.
    """
    host, port = (address[0], address[1]) if isinstance(address, tuple) else ("localhost", 80)
    environ = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if tls else "http",
        "wsgi.errors": errors,
        # Several greenlets may be inside the application at once.
        "wsgi.multithread": True,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "greenserve.ready": ready,
        "greenserve.draining": draining,
        "SERVER_SOFTWARE": SERVER_SOFTWARE,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SCRIPT_NAME": "",
        # Keys that some applications ask for without looking; absent would be as true.
        "QUERY_STRING": "",
        "REMOTE_ADDR": "",
        # Each request fills these. That they have a place saves it from making its copy larger.
        "REQUEST_METHOD": None,
        "RAW_URI": None,
        "PATH_INFO": None,
        "SERVER_PROTOCOL": None,
        "wsgi.input": None,
    }
    if tls:
        environ["HTTPS"] = "on"
    return environ


def peer_facts(peer: Any) -> dict[str, Any]:
    """Return what environ says of who is asking; *peer* is what `accept()` said."""
    if not isinstance(peer, tuple):
        return {"REMOTE_ADDR": ""}
    return {"REMOTE_ADDR": sys.intern(peer[0]), "REMOTE_PORT": str(peer[1])}


def connection_environ(base: dict[str, Any], peer: Any) -> dict[str, Any]:
    """Return *base* with who is asking."""
    return {**base, **peer_facts(peer)}
