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
    LINE_END,
    Answer,
    ResponseHead,
    check_answer,
    make_early_hints,
    make_refusal,
    make_response_head,
    make_size_line,
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
        """Send all the pieces, in one go, behind what was streamed."""

    def stream(self, *pieces: bytes) -> None:
        """Send all the pieces before this turn of the loop ends, together with others that come in it."""

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


def not_bytes(block: object) -> BadResponse:
    return BadResponse(f"the application yielded {type(block).__name__}, not bytes: {block!r:.80}")


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
        "_takeover",
        "code",
        "complete",
        "environ",
        "failure",
        "input",
        "persistent",
        "sent",
    )

    def __init__(self, request: RequestHead, content: Input, channel: Channel, takeover: Takeover | None = None) -> None:
        self._request = request
        self._channel = channel
        self._takeover = takeover
        self._answer: Answer | None = None
        self._head: ResponseHead | None = None
        self._known_length = -1
        self.input = content
        self.environ = self._request.environ
        self.code: int | None = None
        self.sent = 0
        self.complete = False
        #: Whether another request may follow on the connection.
        self.persistent = False
        self.failure: BaseException | None = None

    @property
    def status(self) -> str:
        """The status that went out, "-" if none did."""
        if self._takeover is not None and self._takeover.taken:
            return self._takeover.status
        if self._head is None:
            return "-"
        return self._answer.status.text if self._answer is not None else str(self.code)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields that the application gave."""
        return self._answer.fields if self._answer is not None else []

    @property
    def head_sent(self) -> bool:
        return self._head is not None

    def is_taken_over(self) -> bool:
        """Return whether the application has taken the connection, so that nobody else may write on it."""
        return self._takeover is not None and self._takeover.taken

    @property
    def succeeded(self) -> bool:
        """Whether the application neither failed nor says that it has: frameworks answer for what was raised in them."""
        return self.failure is None and (self._answer is None or self._answer.status.code < 500)

    # The application's side.

    def run(self, application: Application) -> None:
        """Call *application* once and send what it answers; raises nothing."""
        self.environ["wsgi.input"] = self.input.open_file()
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
        return self.is_taken_over() and isinstance(cause, (StopIteration, TakenOver))

    def _respond(self, application: Application) -> None:
        blocks = application(self.environ, self.start_response)
        if type(blocks) is list:
            # The usual answer, and one that has no close().
            self._send_list(blocks)
            self._finish()
            return
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
                if self._head is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # the traceback would keep this frame alive
        elif self._answer is not None:
            raise BadResponse("start_response was called twice without exc_info (PEP 3333)")
        self._answer = check_answer(status, response_headers)
        return self.write

    def write(self, block: bytes) -> None:
        """The callable that start_response returns, for applications older than WSGI."""
        if not isinstance(block, bytes):
            raise not_bytes(block)
        if self.complete:
            raise BadResponse("write() was called after the response was complete")
        if block:
            self._send_block(block)

    def send_early_hints(self, fields: Iterable[tuple[str, str]]) -> None:
        """Send 103 (Early Hints) if it can still come before the answer, and the client knows what that is.

        What cannot be sent is checked all the same: a mistake should not wait for the one client that shows it.
        """
        hints = make_early_hints(fields)
        if self._request.http11 and self._head is None:
            self._channel.send(hints)

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
            if not isinstance(block, bytes):
                raise not_bytes(block)
            if block:
                self._send_block(block)
                if self._is_unheard():
                    break

    def _is_unheard(self) -> bool:
        """Whether all that could be sent has been: what would answer GET for ever must not run for ever on HEAD."""
        return self._head is not None and self._head.silent

    def _send_list(self, blocks: list[bytes] | tuple[bytes, ...]) -> None:
        """Send content that is all there already: its length is known, and it may leave at once."""
        length = 0
        for block in blocks:
            if not isinstance(block, bytes):
                raise not_bytes(block)
            length += len(block)
        if self._head is None:
            self._known_length = length
        if len(blocks) > 1 and length <= GATHER:
            blocks = [b"".join(blocks)]
        for block in blocks:
            if block:
                self._send_block(block)

    def _send_file(self, wrapper: FileWrapper) -> None:
        """Send a file up to its end or to Content-Length, whichever comes first."""
        rest = find_rest(wrapper.file) if self._head is None else None
        if rest is None:
            self._send_each(self._clip(wrapper))
        else:
            self._send_rest(rest)

    def _clip(self, wrapper: FileWrapper) -> Iterator[bytes]:
        """Yield what belongs to the response of a file that cannot be measured."""
        room = self._answer.content_length if self._answer is not None else -1
        if room < 0:
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
        # Nothing of it if the length is unknown, as there is no content to HEAD.
        count = max(0, min(rest.length, head.content_length))
        self._channel.send(head.head, first[:count])
        self.sent = min(len(first), count)
        while self.sent < count and (sent := self._send_more(rest, count)):
            self.sent += sent

    def _send_more(self, rest: FileRest, count: int) -> int:
        return self._channel.send_file(rest.descriptor, rest.offset + self.sent, count - self.sent)

    def _send_block(self, block: bytes) -> None:
        """Send a block that is not empty: the first one at once and with the head, others soon."""
        if self._head is None:
            self._send_first(self._make_head(), block)
        elif not self._head.silent:
            self._send_next(self._head, block)

    def _send_first(self, head: ResponseHead, block: bytes) -> None:
        """Send the head with what may follow it."""
        size = len(block)
        if head.silent:
            self._channel.send(head.head)
        elif head.chunked:
            self._channel.send(head.head, make_size_line(size), block, LINE_END)
            self.sent = size
        elif head.content_length < 0 or size <= head.content_length:
            self._channel.send(head.head, block)
            self.sent = size
        else:
            self._channel.send(head.head, block[: head.content_length])
            self._refuse_more(head.content_length)

    def _send_next(self, head: ResponseHead, block: bytes) -> None:
        """Send what comes behind other blocks: soon, or at once if it is the last."""
        size = len(block)
        room = head.content_length - self.sent
        if head.chunked:
            self._channel.stream(make_size_line(size), block, LINE_END)
        elif head.content_length < 0 or size < room:
            self._channel.stream(block)
        else:
            self._channel.send(block if size == room else block[:room])
            if size > room:
                self._refuse_more(head.content_length)
        self.sent += size

    def _refuse_more(self, length: int) -> None:
        self.sent = length
        raise BadResponse(f"the application yields more than its Content-Length of {length} bytes; the rest was not sent")

    def _make_head(self) -> ResponseHead:
        self._raise_takeover()
        if self._answer is None:
            raise BadResponse("the application sent content before it called start_response")
        if self.input.failure is not None:
            # Refused already: an application that swallowed the error cannot turn it into a 200.
            raise self.input.failure
        request = self._request
        head = make_response_head(
            self._answer, request.method, request.http11, self._may_go_on(), self._known_length, self._channel.date()
        )
        self._head = head
        self.code = head.code
        return head

    def _raise_takeover(self) -> None:
        if self._takeover is not None and self._takeover.taken:
            raise TakenOver

    def _may_go_on(self) -> bool:
        """Whether the head may promise another exchange.

        It must be known where the next request begins.
        """
        return self._request.persistent and self.input.is_discardable() and self._channel.may_persist()

    def _finish(self) -> None:
        """Send what still belongs to the response once the application has no more content."""
        head = self._head
        if head is None:
            head = self._send_lone_head()
        if head.chunked:
            self._channel.send(LAST_CHUNK)
        elif head.content_length >= 0 and head.content_length != self.sent:
            raise BadResponse(
                f"the application yielded {self.sent} bytes, fewer than its Content-Length of {head.content_length}"
            )
        self.complete = True
        self.persistent = head.persistent

    def _send_lone_head(self) -> ResponseHead:
        """Send the head of a response in which the application yielded nothing."""
        self._raise_takeover()
        if self._answer is None:
            raise BadResponse("the application returned without calling start_response")
        if self._known_length < 0:
            self._known_length = 0
        head = self._make_head()
        self._channel.send(head.head)
        return head

    # What went wrong.

    def _refuse(self, failure: BaseException) -> None:
        """Answer for an exchange that failed, if nothing has been sent; else leave it visibly cut."""
        if self._head is not None or self.is_taken_over() or isinstance(failure, ClientDisconnected):
            return
        reason = self.input.failure or failure
        code = reason.status if isinstance(reason, ProtocolError) else 500
        persistent = code == 500 and self._may_go_on()
        self._answer = None
        self._head = ResponseHead(code)
        self.code = code
        try:
            self._channel.send(make_refusal(code, self._request.method, self._channel.date(), persistent))
            self.complete = True
            self.persistent = persistent
        except ClientDisconnected:
            pass
