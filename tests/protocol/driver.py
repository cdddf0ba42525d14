"""What a connection does with the parser and the decoders, without a connection.

Bytes are fed in pieces of any size; requests, or one refusal, come out.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from greenserve.errors import ProtocolError
from greenserve.protocol.content import ChunkedContent, Content, content_after
from greenserve.protocol.limits import Limits
from greenserve.protocol.request import RequestHead

BASE_ENVIRON = {"SCRIPT_NAME": "", "wsgi.version": (1, 0)}


class Request(NamedTuple):
    head: RequestHead
    content: bytes
    trailers: list[tuple[str, str]]


class Driver:
    """Reads requests one after the other, and nothing after a refusal."""

    def __init__(self, parse: Callable[..., RequestHead | None], limits: Limits) -> None:
        self.parse = parse
        self.limits = limits
        self.buffer = bytearray()
        self.requests: list[Request] = []
        self.refusal: ProtocolError | None = None
        self._seen = 0
        self._head: RequestHead | None = None
        self._content: Content | None = None
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> None:
        self.buffer += data
        try:
            while self.refusal is None and self._advance():
                pass
        except ProtocolError as error:
            self.refusal = error

    def _advance(self) -> bool:
        """Return whether there may be more to do with what is in the buffer."""
        if self._head is None and not self._read_head():
            return False
        return self._read_content()

    def _read_head(self) -> bool:
        self._head = self.parse(self.buffer, BASE_ENVIRON, self.limits, self._seen)
        if self._head is None:
            self._seen = len(self.buffer)
            return False
        del self.buffer[: self._head.size]
        self._seen = 0
        self._content = content_after(self._head, self.limits)
        return True

    def _read_content(self) -> bool:
        self._pieces.append(self._content.decode(self.buffer))
        if not self._content.finished:
            return False
        trailers = self._content.trailers if isinstance(self._content, ChunkedContent) else []
        self.requests.append(Request(self._head, b"".join(self._pieces), trailers))
        self._head = None
        self._pieces = []
        return bool(self.buffer)


def drive(parse: Callable[..., Any], pieces: Iterable[bytes], limits: Limits) -> Driver:
    """Return a driver that has been fed *pieces*."""
    driver = Driver(parse, limits)
    for piece in pieces:
        driver.feed(piece)
    return driver
