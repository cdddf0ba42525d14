"""What a client sends on one connection: heads and content, each in its time."""

from typing import Any

from greenserve.errors import ClientDisconnected, RequestTimeout
from greenserve.protocol.request import RequestHead
from greenserve.worker.introduction import Standing
from greenserve.worker.service import Service
from greenserve.worker.tls import AnyTransport
from greenserve.worker.wire import DeadlineExceeded, now


class Incoming:
    """The receiving side of a connection."""

    __slots__ = ("_debt", "_service", "_transport", "buffer")

    def __init__(self, transport: AnyTransport, service: Service) -> None:
        self._transport = transport
        self._service = service
        #: Received and not yet understood: content, or perhaps the next request, pipelined.
        self.buffer = bytearray()
        #: Seconds that the client's content is behind the minimum rate.
        self._debt = 0.0

    def read_head(self, data: bytes | bytearray, environ: dict[str, Any], standing: Standing) -> RequestHead | None:
        """Return the head that begins with *data*, which is the buffer or what came while that was empty.

        Raises ProtocolError; returns None if the client leaves in the middle of it.
        """
        service = self._service
        head = service.parse_head(data, environ, service.limits, 0, standing.names)
        if head is None:
            data = self._keep(data)
            head = self._receive_rest(environ, standing)
            if head is None:
                return None
        service.row.note(data)
        self._remove(data, head.size)
        if head.dropped_fields:
            service.row["dropped_fields"] += head.dropped_fields
            service.introductions.note_dropped(environ, standing.names)
        if standing.settle is not None:
            standing.settle(head.environ)
        return head

    def _keep(self, data: bytes | bytearray) -> bytearray:
        """Put *data* into the buffer, if it is not there already."""
        if data is not self.buffer:
            self.buffer += data
        return self.buffer

    def _remove(self, data: bytes | bytearray, size: int) -> None:
        """Leave in the buffer what follows the first *size* bytes of *data*."""
        if data is self.buffer:
            del self.buffer[:size]
        elif size < len(data):
            self.buffer += memoryview(data)[size:]

    def _receive_rest(self, environ: dict[str, Any], standing: Standing) -> RequestHead | None:
        """Receive until the head that the buffer begins with is complete, and return it."""
        service = self._service
        deadline = now() + service.config.head_timeout
        head = None
        while head is None:
            seen = len(self.buffer)
            data = self._receive_more(deadline)
            if not data:
                return None
            self.buffer += data
            head = service.parse_head(self.buffer, environ, service.limits, seen, standing.names)
        return head

    def _receive_more(self, deadline: float) -> bytes:
        try:
            return self._transport.receive(deadline)
        except DeadlineExceeded:
            self._service.row["deadlines_head"] += 1
            raise RequestTimeout(f"the request head was not complete after {self._service.config.head_timeout:g} s") from None

    def receive_content(self) -> None:
        """Receive more content, into the buffer, from a client that keeps the minimum rate.

        Waiting makes a debt and bytes pay it off; bytes that came fast give no
        credit, so nobody sends much at first to trickle for hours.
        """
        config = self._service.config
        began = now()
        try:
            data = self._transport.receive(began + config.content_timeout - self._debt)
        except DeadlineExceeded:
            self._service.row["deadlines_content"] += 1
            raise RequestTimeout(
                f"the client sent its content too slowly (content_timeout {config.content_timeout:g} s)"
            ) from None
        if not data:
            raise ClientDisconnected("the client left before the end of the content")
        if config.minimum_rate:
            self._debt = max(0.0, self._debt + now() - began - len(data) / config.minimum_rate)
        self.buffer += data
        # A client that sends faster than we read makes nobody wait.
        self._transport.take_turns()
