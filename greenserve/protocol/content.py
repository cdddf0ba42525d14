"""The content of a request: what stands on the wire to what the application reads.

A decoder takes its own bytes from the front of a buffer and leaves what
follows, which is the next request. It keeps no content, so a stream of any
length costs no memory.
"""

import re

from greenserve.errors import BadRequest, ContentTooLarge, FieldsTooLarge
from greenserve.protocol.fields import TOKEN, parse_trailer
from greenserve.protocol.limits import Limits
from greenserve.protocol.request import RequestHead

_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t !-~\x80-\xff])*"'
_EXTENSION = rf"[ \t]*;[ \t]*{TOKEN}(?:[ \t]*=[ \t]*(?:{TOKEN}|{_QUOTED}))?"
_parse_size_line = re.compile(rf"([0-9A-Fa-f]{{1,16}})(?:{_EXTENSION})*".encode("latin-1")).fullmatch

#: Signatures of cloud storage clients take 85 bytes of extension; nothing known takes more.
MAX_SIZE_LINE = 1024

#: Chunks of one byte with a long extension each make us read a thousand times what the
#: application gets. Content pays for its framing; this is how much credit a client has.
FREE_OVERHEAD = 16384
FAIR_OVERHEAD = 16

_SIZE, _DATA, _DATA_END, _TRAILERS = range(4)


class FixedContent:
    """Content whose length the head announced."""

    __slots__ = ("finished", "remaining")

    def __init__(self, length: int) -> None:
        #: Bytes still to come.
        self.remaining = length
        self.finished = length == 0

    def decode(self, buffer: bytearray) -> bytes:
        """Take what belongs to the content from the front of *buffer*, and return it."""
        if self.remaining >= len(buffer):
            data = bytes(buffer)
            buffer.clear()
        else:
            with memoryview(buffer) as view:
                data = bytes(view[: self.remaining])
            del buffer[: self.remaining]
        self.remaining -= len(data)
        self.finished = self.remaining == 0
        return data


#: For every request without content: it has nothing to remember.
NO_CONTENT = FixedContent(0)


class ChunkedContent:
    """Content in chunks, and the trailer section after it (RFC 9112 section 7.1)."""

    __slots__ = ("_expects", "_left", "_limits", "_overhead", "_total", "_trailer_size", "finished", "trailers")

    def __init__(self, limits: Limits) -> None:
        self.finished = False
        #: (name, value) in the order of the wire; complete when `finished`. Never part of environ.
        self.trailers: list[tuple[str, str]] = []
        self._limits = limits
        self._expects = _SIZE
        #: Bytes of the current chunk still to come.
        self._left = 0
        self._total = 0
        self._overhead = 0
        self._trailer_size = 0

    def decode(self, buffer: bytearray) -> bytes:
        """Take all that is complete from the front of *buffer*, and return the content in it.

        Raises BadRequest, ContentTooLarge or FieldsTooLarge; the connection is of no use afterwards.
        """
        pieces: list[memoryview] = []
        view = memoryview(buffer)
        try:
            taken = self._take(buffer, view, pieces)
            # The only copy that is made of the content here.
            data = b"".join(pieces)
        finally:
            # The buffer has its size for as long as anybody looks at it, and a traceback would keep them all.
            pieces.clear()
            view.release()
        # One deletion for all chunks: each would move the rest of the buffer to the front.
        del buffer[:taken]
        return data

    def _take(self, buffer: bytearray, view: memoryview, pieces: list[memoryview]) -> int:
        """Append to *pieces* what is content; return how many bytes are done with."""
        position = 0
        while not self.finished:
            if self._expects == _DATA:
                after = self._take_data(view, position, pieces)
            elif self._expects == _DATA_END:
                after = self._take_data_end(buffer, position)
            else:
                after = self._take_line(buffer, position)
            if after == position:
                break
            position = after
        return position

    def _take_data(self, view: memoryview, position: int, pieces: list[memoryview]) -> int:
        data = view[position : position + self._left]
        size = len(data)
        if size:
            pieces.append(data)
            self._left -= size
        if self._left == 0:
            self._expects = _DATA_END
        return position + size

    def _take_data_end(self, buffer: bytearray, position: int) -> int:
        found = buffer[position : position + 2]
        if not b"\r\n".startswith(found):
            raise BadRequest(f"chunk data is followed by {bytes(found)!r}, not CRLF (RFC 9112 section 7.1)")
        if len(found) < 2:
            return position
        self._expects = _SIZE
        return position + 2

    def _take_line(self, buffer: bytearray, position: int) -> int:
        """Take a size line or a line of the trailer section, if it is complete."""
        end = buffer.find(b"\n", position)
        if end < 0:
            self._check_line_size(len(buffer) - position - 1)
            return position
        if end == position or buffer[end - 1] != 0x0D:
            raise BadRequest("a line of the chunked coding ends with LF alone, not CRLF (RFC 9112 section 2.2)")
        line = bytes(buffer[position : end - 1])
        self._check_line_size(len(line))
        if self._expects == _SIZE:
            self._open_chunk(line)
        else:
            self._add_trailer(line)
        return end + 1

    def _check_line_size(self, size: int) -> None:
        if self._expects == _SIZE and size > MAX_SIZE_LINE:
            raise BadRequest(f"a chunk size line is longer than {MAX_SIZE_LINE} bytes")
        if self._expects == _TRAILERS and self._trailer_size + size + 2 > self._limits.trailer:
            raise FieldsTooLarge(f"the trailer section is longer than the limit of {self._limits.trailer} bytes")

    def _open_chunk(self, line: bytes) -> None:
        match = _parse_size_line(line)
        if match is None:
            raise BadRequest(f"{line[:40]!r} is not a chunk size (RFC 9112 section 7.1)")
        self._left = int(match[1], 16)
        self._expects = _DATA if self._left else _TRAILERS
        self._total += self._left
        limit = self._limits.content
        if limit is not None and self._total > limit:
            raise ContentTooLarge(f"the chunks make more content than the limit of {limit} bytes")
        self._overhead = max(0, self._overhead + len(line) - FAIR_OVERHEAD - 2 * self._left)
        if self._overhead > FREE_OVERHEAD:
            raise BadRequest("chunk extensions outweigh the content (RFC 9112 section 7.1.1)")

    def _add_trailer(self, line: bytes) -> None:
        self._trailer_size += len(line) + 2
        if not line:
            self.finished = True
            return
        if len(self.trailers) >= self._limits.fields > 0:
            raise FieldsTooLarge(f"the trailer section has more than {self._limits.fields} fields")
        self.trailers.append(parse_trailer(line))


Content = FixedContent | ChunkedContent


def content_after(head: RequestHead, limits: Limits) -> Content:
    """Return the decoder for what follows *head*."""
    if head.chunked:
        return ChunkedContent(limits)
    return FixedContent(head.content_length) if head.content_length else NO_CONTENT
