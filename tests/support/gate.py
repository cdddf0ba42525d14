"""A gate that requests stop at inside the application until the test lets them through.

The application `gated` connects to it from within a request. So a test knows
that a request is in flight, and in which process, without a sleep on either side.
"""

import socket
from types import TracebackType


class Visitor:
    """One request that waits at the gate."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        #: The worker it is in.
        self.pid = int(connection.recv(32))

    def release(self) -> None:
        """Let the request go on to its answer."""
        self._connection.sendall(b"go")
        self._connection.close()

    def wait_for_loss(self) -> None:
        """Return when the request's end of the line is gone: its process has died, or it was ended."""
        self._connection.recv(1)
        self._connection.close()


class Gate:
    def __init__(self, timeout: float = 30.0) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.settimeout(timeout)
        self._timeout = timeout

    @property
    def environ(self) -> dict[str, str]:
        """What the application needs to know to find the gate."""
        return {"GATE": str(self._listener.getsockname()[1])}

    def admit(self) -> Visitor:
        """Return the next request that has arrived, waiting for it."""
        connection, _ = self._listener.accept()
        connection.settimeout(self._timeout)
        return Visitor(connection)

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
