"""`wsgi.input`: the content of one request, as a file that ends where the content ends.

Pulls bytes through a decoder of `protocol.content` when the application asks
and not before, so a client that sends slowly costs the application nothing
until it reads.
"""

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import BinaryIO, Protocol

from greenserve.errors import ClientDisconnected, ProtocolError
from greenserve.protocol.content import FixedContent
from greenserve.wsgi.spool import Spool, Spooling

#: Content that the application did not read is read and dropped up to here, to keep the connection.
DISCARD_LIMIT = 65536

_ALL = -1


class Decoder(Protocol):
    finished: bool

    def decode(self, buffer: bytearray) -> bytes: ...


class Input:
    """The content of one request (PEP 3333, "Input and Error Streams").

    Reading raises ClientDisconnected if the client leaves before the end,
    RequestTimeout if it stops sending, and BadRequest or ContentTooLarge for
    what it sends; never is a part handed over as the whole.
    """

    __slots__ = ("_buffer", "_decoder", "_receive", "_spool", "_start", "_unread", "_welcome", "failure", "received")

    def __init__(
        self, decoder: Decoder, buffer: bytearray, receive: Callable[[], None], welcome: Callable[[], None] | None = None
    ) -> None:
        """*receive* appends what the client sends next to *buffer*; *welcome* sends 100 (Continue)."""
        self._decoder = decoder
        self._buffer = buffer
        self._receive = receive
        self._welcome = welcome
        self._spool: Spool | None = None
        #: Decoded last; from `_start` on nobody has asked for it yet.
        self._unread = b""
        self._start = 0
        #: Bytes of content decoded so far.
        self.received = 0
        #: Why reading cannot go on; every further attempt raises it again.
        self.failure: ProtocolError | ClientDisconnected | None = None

    @property
    def finished(self) -> bool:
        """Whether the client has nothing more to send for this request."""
        return self._decoder.finished

    @property
    def awaits_welcome(self) -> bool:
        """Whether the client waits for 100 (Continue), and so may not send the content at all."""
        return self._welcome is not None

    def is_discardable(self) -> bool:
        """Whether what is left may be read and dropped to find the next request, as far as can be known.

        Not if the client still waits for 100 (Continue): it may send the
        content or not, so nobody can tell what its next bytes are.
        """
        decoder = self._decoder
        if decoder.finished:
            return True
        return self._welcome is None and not (isinstance(decoder, FixedContent) and decoder.remaining > DISCARD_LIMIT)

    def open_file(self) -> "Input | BinaryIO":
        """Return what the application reads: this, or what `spool` has made of it."""
        return self if self._spool is None else self._spool.file

    def spool(self, spooling: Spooling) -> int:
        """Read and keep all of the content, before anybody asks for it; return its length in bytes.

        Raises what reading raises, and ContentNotStored (507) if there is no room for it.
        """
        spool = self._spool = Spool(spooling)
        while block := self._pull():
            spool.write(block)
        spool.rewind()
        return spool.length

    def close(self) -> None:
        """Let go of what was spooled."""
        if self._spool is not None:
            self._spool.close()

    def read(self, size: int | None = _ALL) -> bytes:
        return self._gather(find_limit(size), False)

    def readline(self, size: int | None = _ALL) -> bytes:
        return self._gather(find_limit(size), True)

    def readlines(self, hint: int | None = _ALL) -> list[bytes]:
        lines = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def discard(self, limit: int = DISCARD_LIMIT) -> bool:
        """Read and drop what is left, at most *limit* bytes; return whether that was all."""
        self._keep(b"")
        enough = self.received + limit
        while self.received < enough and self._pull():
            pass
        return self.finished

    def _gather(self, limit: int, line: bool) -> bytes:
        """Wait for *limit* bytes, and return fewer only at the end of the content, or of the line, if one *line* is wanted."""
        first = self._take(limit, line)
        size = len(first)
        if size == limit or size == 0 or (line and first.endswith(b"\n")):
            return first
        gathered = BytesIO()
        gathered.write(first)
        try:
            while size < limit and (piece := self._take(limit - size, line)):
                gathered.write(piece)
                size += len(piece)
                if line and piece.endswith(b"\n"):
                    break
        except BaseException:
            # Perhaps a timeout of the application's own, which may ask again.
            self._keep(gathered.getvalue())
            raise
        return gathered.getvalue()

    def _take(self, limit: int, line: bool) -> bytes:
        """Return what there is already, or comes next, of *limit* bytes, or of a line. Empty at the end."""
        if limit == 0:
            return b""
        if not self._unread:
            self._keep(self._pull())
        unread, start, end = self._unread, self._start, len(self._unread)
        if limit < end - start:
            end = start + limit
        if line:
            end = unread.find(b"\n", start, end) + 1 or end
        if end < len(unread):
            self._start = end
            return unread[start:end]
        self._keep(b"")
        return unread[start:] if start else unread

    def _keep(self, piece: bytes) -> None:
        self._unread = piece
        self._start = 0

    def _pull(self) -> bytes:
        """Wait for more content, and return it; empty if there is none to come."""
        if self.failure is not None:
            raise self.failure
        try:
            content = self._decode_next()
        except (ProtocolError, ClientDisconnected) as failure:
            self.failure = failure
            raise
        self.received += len(content)
        return content

    def _decode_next(self) -> bytes:
        """Return the next piece of content, empty at its end."""
        decoder = self._decoder
        while not decoder.finished:
            if self._welcome is not None:
                self._send_welcome()
            content = decoder.decode(self._buffer)
            if content:
                return content
            if not decoder.finished:
                self._receive()
        return b""

    def _send_welcome(self) -> None:
        welcome, self._welcome = self._welcome, None
        # A client that has begun to send does not wait for it (RFC 9110 section 10.1.1).
        if welcome is not None and not self._buffer:
            welcome()


def find_limit(size: int | None) -> int:
    """Return how many bytes an application means that asks a file for *size*."""
    return sys.maxsize if size is None or size < 0 else min(size, sys.maxsize)
