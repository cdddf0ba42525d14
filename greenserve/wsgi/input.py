"""`wsgi.input`: the content of one request, as a file that ends where the content ends.

Pulls bytes through a decoder of `protocol.content` when the application asks
and not before, so a client that sends slowly costs the application nothing
until it reads.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from greenserve.errors import ClientDisconnected, ProtocolError
from greenserve.protocol.content import FixedContent
from greenserve.wsgi.spool import BLOCK, Spool, Spooling

#: Content that the application did not read is read and dropped up to here, to keep the connection.
DISCARD_LIMIT = 65536

#: A piece is what the client sent at once; so many together are handed over as one.
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

    __slots__ = ("_buffer", "_decoder", "_receive", "_spool", "_unread", "_welcome", "failure", "received")

    def __init__(
        self, decoder: Decoder, buffer: bytearray, receive: Callable[[], None], welcome: Callable[[], None] | None = None
    ) -> None:
        """*receive* appends what the client sends next to *buffer*; *welcome* sends 100 (Continue)."""
        self._decoder = decoder
        self._buffer = buffer
        self._receive = receive
        self._welcome = welcome
        self._spool: Spool | None = None
        #: Decoded, and not yet asked for.
        self._unread = bytearray()
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
        while block := self.read(BLOCK):
            spool.write(block)
        spool.rewind()
        return spool.length

    def close(self) -> None:
        """Let go of what was spooled."""
        if self._spool is not None:
            self._spool.close()

    def read(self, size: int | None = _ALL) -> bytes:
        if size is None or size < 0:
            while self._pull():
                pass
            return self._take(len(self._unread))
        while len(self._unread) < size and self._pull():
            pass
        return self._take(min(size, len(self._unread)))

    def readline(self, size: int | None = _ALL) -> bytes:
        limit = None if size is None or size < 0 else size
        searched = 0
        while True:
            end = self._unread.find(b"\n", searched, limit) + 1
            if end:
                return self._take(end)
            searched = len(self._unread)
            if limit is not None and searched >= limit:
                return self._take(limit)
            if not self._pull():
                return self._take(len(self._unread))

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
        self._unread.clear()
        enough = self.received + limit
        while self.received < enough and self._pull():
            self._unread.clear()
        return self.finished

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._unread)[:size])
        del self._unread[:size]
        return taken

    def _pull(self) -> bool:
        """Wait for more content; return False if there is none to come."""
        if self.failure is not None:
            raise self.failure
        try:
            content = self._decode_next()
        except (ProtocolError, ClientDisconnected) as failure:
            self.failure = failure
            raise
        self._unread += content
        self.received += len(content)
        return bool(content)

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
