"""One request and its response: the application called once, by the rules of PEP 3333.

Knows the application, not the socket: bytes leave through a Channel. Whatever the
application does, `close()` of what it returned is called, at most one response
goes out, and what went out is either whole or visibly cut.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol

from greenserve.errors import BadResponse, ClientDisconnected, ProtocolError
from greenserve.protocol.request import RequestHead
from greenserve.protocol.response import (
    LAST_CHUNK,
    Answer,
    ResponseHead,
    check_answer,
    encode_chunk,
    make_early_hints,
    make_refusal,
    make_response_head,
)
from greenserve.wsgi.file_wrapper import FILE_BLOCK, FileRest, FileWrapper, find_rest
from greenserve.wsgi.input import Input

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Blocks of a list are joined into one send up to so many bytes.
GATHER = 65536


class Channel(Protocol):
    """What an Exchange needs of the connection."""

    def send(self, *pieces: bytes) -> None:
        """Send all the pieces, in one go."""

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """Send some of *count* bytes of an open file from *offset* on; return how many, 0 at its end."""

    def date(self) -> str:
        """Return the value of the Date field."""

    def may_persist(self) -> bool:
        """Return whether the server would serve another request on this connection."""


class Takeover(Protocol):
    """What an Exchange needs to know of the application's way around it."""

    @property
    def taken(self) -> bool:
        """Whether the application speaks for itself on the connection."""

    @property
    def status(self) -> str:
        """The status that it has answered with."""


class TakenOver(Exception):
    """There is nothing left to answer. Never leaves an Exchange."""


class Exchange:
    """One request and its response.

    After `run`: `code` and `fields` of the response, `sent` bytes of its
    content, `persistent`, and `failure`, the exception that ended it if it did
    not end well.
    """

    __slots__ = (
        "_answer",
        "_channel",
        "_head",
        "_known_length",
        "_request",
        "_send",
        "_takeover",
        "complete",
        "failure",
        "input",
        "sent",
    )

    def __init__(self, request: RequestHead, content: Input, channel: Channel, takeover: Takeover | None = None) -> None:
        self._request = request
        self._takeover = takeover
        self._channel = channel
        self._send = channel.send
        self._answer: Answer | None = None
        self._head: ResponseHead | None = None
        self._known_length: int | None = None
        self.input = content
        self.sent = 0
        self.complete = False
        self.failure: BaseException | None = None

    @property
    def environ(self) -> dict[str, Any]:
        return self._request.environ

    @property
    def code(self) -> int | None:
        return self._head.code if self._head is not None else None

    @property
    def status(self) -> str:
        """The status that went out, "-" if none did."""
        if self._takeover is not None and self._takeover.taken:
            return self._takeover.status
        if self._head is None:
            return "-"
        return self._answer.status.text if self._answer is not None else str(self._head.code)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields that the application gave."""
        return self._answer.fields if self._answer is not None else []

    @property
    def head_sent(self) -> bool:
        return self._head is not None

    @property
    def persistent(self) -> bool:
        """Whether another request may follow on the connection."""
        return self.complete and self._head is not None and self._head.persistent

    @property
    def taken_over(self) -> bool:
        """Whether the application has taken the connection, so that nobody else may write on it."""
        return self._takeover is not None and self._takeover.taken

    @property
    def succeeded(self) -> bool:
        """Whether the application neither failed nor says that it has: frameworks answer for what was raised in them."""
        return self.failure is None and (self._answer is None or self._answer.status.code < 500)

    # The application's side.

    def run(self, application: Application) -> None:
        """Call *application* once and send what it answers; raises nothing."""
        self._request.environ["wsgi.input"] = self.input.file
        try:
            self._respond(application)
        except BaseException as failure:  # the edge of the application: sys.exit() ends its request, not the worker
            if not self._tells_takeover(failure):
                self.failure = failure
                self._refuse(failure)

    def _tells_takeover(self, failure: BaseException) -> bool:
        """Return whether *failure* says no more than that the application has answered for itself.

        StopIteration is how applications tell gunicorn; out of a generator it
        comes as a RuntimeError (PEP 479).
        """
        cause = failure.__cause__ if isinstance(failure, RuntimeError) else failure
        return self.taken_over and isinstance(cause, (StopIteration, TakenOver))

    def _respond(self, application: Application) -> None:
        blocks = application(self._request.environ, self.start_response)
        try:
            self._send_blocks(blocks)
            self._finish()
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """PEP 3333's start_response(): nothing is sent before the first block of content."""
        if exc_info is not None:
            try:
                if self.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # the traceback would keep this frame alive
        elif self._answer is not None:
            raise BadResponse("start_response was called twice without exc_info (PEP 3333)")
        self._answer = check_answer(status, response_headers)
        return self.write

    def write(self, block: bytes) -> None:
        """The callable that start_response returns, for applications older than WSGI."""
        self._check_block(block)
        if self.complete:
            raise BadResponse("write() was called after the response was complete")
        if block:
            self._send_block(block)

    def send_early_hints(self, fields: Iterable[tuple[str, str]]) -> None:
        """Send 103 (Early Hints) if it can still come before the answer, and the client knows what that is.

        What cannot be sent is checked all the same: a mistake should not wait for the one client that shows it.
        """
        hints = make_early_hints(fields)
        if self._request.http11 and not self.head_sent:
            self._send(hints)

    # Content.

    def _send_blocks(self, blocks: Iterable[bytes]) -> None:
        if isinstance(blocks, (list, tuple)):
            self._send_list(blocks)
        elif isinstance(blocks, FileWrapper):
            self._send_file(blocks)
        else:
            self._send_each(blocks)

    def _send_each(self, blocks: Iterable[bytes]) -> None:
        if blocks is None or isinstance(blocks, (str, bytes)):
            raise BadResponse(f"the application returned {type(blocks).__name__}, not an iterable of bytes such as [b'content']")
        for block in blocks:
            self._check_block(block)
            if block:
                self._send_block(block)
                if self._is_unheard():
                    break

    def _is_unheard(self) -> bool:
        """Whether all that could be sent has been: what would answer GET for ever must not run for ever on HEAD."""
        return self._head is not None and self._head.silent

    def _send_list(self, blocks: list[bytes] | tuple[bytes, ...]) -> None:
        """Send content that is all there already: its length is known, and it may leave at once."""
        for block in blocks:
            self._check_block(block)
        length = sum(map(len, blocks))
        if not self.head_sent:
            self._known_length = length
        if length <= GATHER:
            blocks = [b"".join(blocks)]
        for block in blocks:
            if block:
                self._send_block(block)

    def _send_file(self, wrapper: FileWrapper) -> None:
        """Send a file up to its end or to Content-Length, whichever comes first."""
        rest = None if self.head_sent else find_rest(wrapper.file)
        if rest is None:
            self._send_each(self._clip(wrapper))
        else:
            self._send_rest(rest)

    def _clip(self, wrapper: FileWrapper) -> Iterator[bytes]:
        """Yield what belongs to the response of a file that cannot be measured."""
        room = self._answer.content_length if self._answer is not None else None
        if room is None:
            yield from wrapper
            return
        room -= self.sent
        while room > 0 and (block := next(wrapper, b"")):
            yield block[:room]
            room -= len(block)

    def _send_rest(self, rest: FileRest) -> None:
        """Send a file without reading it, but for what leaves together with the head."""
        self._known_length = rest.length
        first = os.pread(rest.descriptor, min(rest.length, FILE_BLOCK), rest.offset)
        head = self._make_head()
        assert self._head is not None
        # None for an answer without content, such as one to HEAD.
        count = min(rest.length, self._head.content_length or 0)
        self._send(head, first[:count])
        self.sent = min(len(first), count)
        while self.sent < count and (sent := self._send_more(rest, count)):
            self.sent += sent

    def _send_more(self, rest: FileRest, count: int) -> int:
        return self._channel.send_file(rest.descriptor, rest.offset + self.sent, count - self.sent)

    def _check_block(self, block: object) -> None:
        if not isinstance(block, bytes):
            raise BadResponse(f"the application yielded {type(block).__name__}, not bytes: {block!r:.80}")

    def _send_block(self, block: bytes) -> None:
        """Send a block that is not empty, behind the head if that has not gone."""
        head = b"" if self._head is not None else self._make_head()
        assert self._head is not None
        if self._head.silent:
            if head:
                self._send(head)
            return
        if self._head.content_length is not None:
            self._send_counted(head, block)
        elif self._head.chunked:
            self._send(head, *encode_chunk(block))
        else:
            self._send(head, block)
        self.sent += len(block)

    def _send_counted(self, head: bytes, block: bytes) -> None:
        """Send what of *block* fits in the length that the head announced."""
        assert self._head is not None
        room = (self._head.content_length or 0) - self.sent
        self._send(head, block if len(block) <= room else block[:room])
        if len(block) > room:
            self.sent += room
            raise BadResponse(f"the application yields more than its Content-Length of {self.sent} bytes; the rest was not sent")

    def _make_head(self) -> bytes:
        self._raise_takeover()
        if self._answer is None:
            raise BadResponse("the application sent content before it called start_response")
        self._raise_framing_error()
        request = self._request
        self._head = make_response_head(
            self._answer,
            request.method,
            request.http11,
            self._may_go_on(),
            self._known_length,
            self._channel.date(),
        )
        return self._head.head

    def _raise_takeover(self) -> None:
        if self.taken_over:
            raise TakenOver

    def _may_go_on(self) -> bool:
        """Whether the head may promise another exchange.

        It must be known where the next request begins.
        """
        return self._channel.may_persist() and self._request.persistent and self.input.is_discardable

    def _raise_framing_error(self) -> None:
        """Refuse what was refused already: an application that swallowed the error cannot turn it into a 200."""
        if self.input.failure is not None:
            raise self.input.failure

    def _finish(self) -> None:
        """Send what still belongs to the response once the application has no more content."""
        if self._head is None:
            self._raise_takeover()
            if self._answer is None:
                raise BadResponse("the application returned without calling start_response")
            if self._known_length is None:
                self._known_length = 0
            self._send(self._make_head())
        assert self._head is not None
        if self._head.chunked:
            self._send(LAST_CHUNK)
        elif self._head.content_length is not None and self._head.content_length != self.sent:
            raise BadResponse(
                f"the application yielded {self.sent} bytes, fewer than its Content-Length of {self._head.content_length}"
            )
        self.complete = True

    # What went wrong.

    def _refuse(self, failure: BaseException) -> None:
        """Answer for an exchange that failed, if nothing has been sent; else leave it visibly cut."""
        if self.head_sent or self.taken_over or isinstance(failure, ClientDisconnected):
            return
        reason = self.input.failure or failure
        code = reason.status if isinstance(reason, ProtocolError) else 500
        persistent = code == 500 and self._may_go_on()
        self._answer = None
        self._head = ResponseHead(code)
        self._head.persistent = persistent
        try:
            self._send(make_refusal(code, method=self._request.method, date=self._channel.date(), persistent=persistent))
            self.complete = True
        except ClientDisconnected:
            pass
