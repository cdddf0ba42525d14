"""A client that is bytes in and bytes out, and knows just enough HTTP to count answers."""

import socket
import struct
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple

#: What `socket.getsockname` gives: a path, or a tuple that begins with host and port.
Address = Any


class Truncated(ConnectionError):
    """The server closed the connection before its answer was whole."""


class Response(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    content: bytes

    def field(self, name: str) -> str | None:
        """Return the first field value of that name, in any case of letters."""
        return next((value for known, value in self.fields if known.lower() == name.lower()), None)

    @property
    def persistent(self) -> bool:
        """Whether the server offers to answer another request on this connection."""
        return "close" not in (self.field("Connection") or "").lower()


def make_request(path: str = "/", *fields: str, method: str = "GET", content: bytes = b"") -> bytes:
    """Return a whole HTTP/1.1 request; *fields* are lines such as "Accept: text/plain"."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *fields]
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


class RawClient:
    """One connection. Every wait ends after *timeout* seconds with TimeoutError."""

    def __init__(self, address: Address, timeout: float = 30.0) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.settimeout(timeout)
        self._unread = b""
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise

    @property
    def address(self) -> Address:
        """Where the connection comes from."""
        return self._socket.getsockname()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def ask(self, path: str = "/", *fields: str, method: str = "GET", content: bytes = b"") -> Response:
        """Send one request and return the answer to it."""
        self.send(make_request(path, *fields, method=method, content=content))
        return self.receive_response(method)

    def receive_response(self, method: str = "GET") -> Response:
        """Return the next answer whole; Truncated if the server closes before its end. *method* says if it has content."""
        status_line, *lines = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(status_line.split(" ", 2)[1])
        fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        head = Response(status, fields, b"")
        return (
            head if method == "HEAD" or status < 200 or status in (204, 304) else head._replace(content=self._read_content(head))
        )

    def receive_until_close(self) -> bytes:
        """Return everything that comes until the server closes."""
        while data := self._receive():
            self._unread += data
        everything, self._unread = self._unread, b""
        return everything

    def receive_some(self) -> bytes:
        """Return what comes first, however little it is."""
        return self._receive()

    def finish_sending(self) -> None:
        """Half-close: the server reads the end, and may still answer."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave as a crashed client does, with RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read_content(self, head: Response) -> bytes:
        if (head.field("Transfer-Encoding") or "").lower() == "chunked":
            return self._read_chunks()
        length = head.field("Content-Length")
        return self.receive_until_close() if length is None else self._read_exactly(int(length))

    def _read_chunks(self) -> bytes:
        content = b""
        while size := int(self._read_until(b"\r\n").split(b";")[0], 16):
            content += self._read_exactly(size)
            self._read_until(b"\r\n")
        while self._read_until(b"\r\n"):
            pass
        return content

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._unread:
            self._unread += self._receive_more(f"no {mark!r}")
        before, _, self._unread = self._unread.partition(mark)
        return before

    def _read_exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._unread += self._receive_more(f"{size} bytes wanted")
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _receive_more(self, wanted: str) -> bytes:
        data = self._receive()
        if not data:
            raise Truncated(f"closed by the server after {self._unread[-200:]!r}: {wanted}")
        return data

    def _receive(self) -> bytes:
        return self._socket.recv(65536)


def ask_together(address: Address, path: str, count: int) -> list[Response]:
    """Send *count* requests at once, each on a connection of its own, and return the answers when all are there."""
    with ExitStack() as opened:
        clients = [opened.enter_context(RawClient(address)) for _ in range(count)]
        for client in clients:
            client.send(make_request(path))
        return [client.receive_response() for client in clients]
