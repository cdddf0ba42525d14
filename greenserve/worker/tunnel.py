"""A connection that an application has taken over, and what the server still does for it.

The application sends and receives what it likes; one greenlet may do the one
while another does the other. The server watches where frames end, so that it
can say goodbye between two of them.
"""

from collections.abc import Callable
from contextlib import suppress

from gevent import get_hub
from gevent.lock import Semaphore

from greenserve.errors import ClientDisconnected, TunnelClosed
from greenserve.protocol.upgrade import FrameCursor, make_close
from greenserve.worker.gauge import AVAILABLE, Gauge
from greenserve.worker.tls import AnyTransport
from greenserve.worker.wire import DeadlineExceeded, now

#: After a goodbye the client has so long to answer it, in seconds; then reading finds the end.
GOODBYE_LINGER = 2.0

_NEVER = float("inf")


class Tunnel:
    """Offered with a request, and taken by the first byte that the application reads or writes."""

    __slots__ = (
        "_begin",
        "_cursor",
        "_deaf",
        "_farewell",
        "_gauge",
        "_mute",
        "_read_deadline",
        "_reading",
        "_unread",
        "_writing",
        "closed",
        "sent",
        "taken",
        "transport",
    )

    def __init__(self, transport: AnyTransport, unread: bytearray, begin: Callable[[], None]) -> None:
        """*unread* came behind the handshake already; *begin* is called when the offer is taken, and may refuse."""
        self.transport = transport
        self._unread = unread
        self._begin = begin
        self._cursor = FrameCursor()
        self._reading = Semaphore()
        self._writing = Semaphore()
        self._read_deadline = _NEVER
        self._gauge: Gauge | None = None
        #: What to say between the next two frames.
        self._farewell = b""
        #: Nothing more is received, or sent.
        self._deaf = self._mute = False
        self.taken = False
        self.closed = False
        #: Bytes sent so far.
        self.sent = 0

    @property
    def status(self) -> str:
        """The status of the answer that the application wrote itself, "-" if that is none."""
        return self._cursor.status

    # The application's side.

    def take(self) -> None:
        """Make the connection the application's own. Raises TunnelClosed if it is too late for that."""
        if self.closed:
            raise TunnelClosed("the connection is closed")
        if not self.taken:
            self._begin()
            self.taken = True
            self.transport.share()

    def receive(self, size: int) -> bytes:
        """Return at most *size* bytes that the client sent, b"" if none will come."""
        self.take()
        with self._reading:
            data = self._receive(size)
            self._show()
            return data

    def _receive(self, size: int) -> bytes:
        if self._deaf:
            return b""
        if self._unread:
            return self._take_unread(size)
        try:
            return self.transport.receive(self._read_deadline, size)
        except DeadlineExceeded:
            return b""

    def receive_now(self, size: int) -> bytes | None:
        """Return what is there already; None if there is nothing."""
        self.take()
        if self._deaf:
            return b""
        data = self._take_unread(size) if self._unread else self.transport.receive_now(size)
        self._show()
        return data

    def _take_unread(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def descriptor(self) -> int:
        """Return what to wait for until there is something to receive, -1 once the tunnel is closed."""
        if self.closed:
            return -1
        if self._gauge is None and (self._unread or self.transport.buffers) and AVAILABLE:
            self._gauge = Gauge(self.transport.socket.fileno())
            self._show()
        return int(self.transport.socket.fileno()) if self._gauge is None else self._gauge.fileno()

    def _show(self) -> None:
        if self._gauge is not None:
            self._gauge.show(self._deaf or bool(self._unread) or self.transport.pending > 0)

    def send(self, data: bytes) -> None:
        """Send all of *data*. Raises TunnelClosed once the client is gone, or was told that we go."""
        self.take()
        with self._writing:
            if self._mute:
                raise TunnelClosed("nothing more can be sent: the server has said goodbye, or the application has")
            self._cursor.advance(data)
            self.sent += len(data)
            self._send(data)
            if self._farewell:
                self._say_goodbye()

    def _send(self, data: bytes) -> None:
        try:
            self.transport.send(data)
        except ClientDisconnected as error:
            raise TunnelClosed(str(error)) from None

    def close(self) -> None:
        """Send and receive no more. May be called again."""
        self.closed = True
        self.hang_up()

    def finish_sending(self) -> None:
        """Let the client find the end behind what was sent."""
        self._mute = True
        if self.taken:
            self.transport.finish_sending()

    def finish_receiving(self) -> None:
        """Let who waits for the client find the end."""
        if self.taken and not self._deaf:
            get_hub().loop.run_callback(self._stop_waiting)
        self._deaf = True
        self._read_deadline = 0.0
        self._show()

    def _stop_waiting(self) -> None:
        if self._reading.locked():
            self.transport.interrupt()

    # The server's side.

    def leave(self, code: int) -> None:
        """Say goodbye for the application, as soon as no frame is half sent, unless it has done so itself."""
        with self._writing:
            if self._mute:
                return
            self._read_deadline = now() + GOODBYE_LINGER
            self.transport.hasten(self._read_deadline)
            self._farewell = make_close(code)
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        if self._cursor.finished or not self._cursor.between_frames:
            return
        with suppress(TunnelClosed):
            self._send(self._farewell)
        self._mute = True

    def hang_up(self) -> None:
        """Let client and application find the end, whatever is half said."""
        self.finish_sending()
        self.finish_receiving()

    def finish(self, code: int) -> None:
        """End what the application has left; when this returns, nobody is inside."""
        if self.taken:
            self.leave(code)
        self.close()
        with self._writing, self._reading:
            pass

    def discard(self) -> None:
        """Free what the tunnel holds; nobody waits for its descriptor any more."""
        if self._gauge is not None:
            self._gauge.close()
            self._gauge = None
