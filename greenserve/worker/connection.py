"""An accepted socket and the greenlet that serves it, request after request."""

from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import Any

from gevent import Timeout, getcurrent, spawn, spawn_raw

from greenserve.errors import (
    ClientDisconnected,
    HandshakeFailed,
    ProtocolError,
    ProxyHeaderRefused,
    TunnelClosed,
)
from greenserve.protocol.content import ChunkedContent, content_after
from greenserve.protocol.request import RequestHead
from greenserve.protocol.response import CONTINUE, make_refusal
from greenserve.protocol.upgrade import GOING_AWAY, INTERNAL_ERROR, NORMAL, asks_for_websocket
from greenserve.worker.incoming import Incoming
from greenserve.worker.lent import LentSocket
from greenserve.worker.service import Service, error_log
from greenserve.worker.tls import AnyTransport
from greenserve.worker.tunnel import Tunnel
from greenserve.worker.unfinished import Unfinished
from greenserve.worker.websocket import offer_websocket
from greenserve.worker.wire import DeadlineExceeded, now
from greenserve.wsgi.exchange import Exchange
from greenserve.wsgi.input import Input

#: An idle connection of a draining worker is still answered for so many seconds:
#: its client may have sent a request that we have not seen yet.
IDLE_LINGER = 1.0

#: After an answer that ends the connection, a client that still sends is heard for so long, in seconds, and
#: so long after its last byte, before it is cut off: many look for the answer only when they have sent everything.
LINGER = 30.0
LINGER_SILENCE = 5.0


#: Between requests that are far apart there is none.
NO_ENVIRON: dict[str, Any] = {}


class Connection:
    """One accepted socket. It is `idle` while no byte of a next request has come."""

    __slots__ = (
        "_asleep",
        "_base",
        "_began",
        "_deadline",
        "_environ",
        "_evicted",
        "_exchange",
        "_facts",
        "_greenlet",
        "_incoming",
        "_lingers",
        "_receive_content",
        "_served",
        "_service",
        "_standing",
        "_transport",
        "_tunnel",
        "address",
        "idle",
    )

    def __init__(self, transport: AnyTransport, base: dict[str, Any], facts: dict[str, Any], service: Service) -> None:
        """*base* is the part of environ that the listener's connections share, *facts* is this one's own."""
        self._transport = transport
        self._base = base
        self._facts = facts
        #: Both together, which each request copies.
        self._environ = NO_ENVIRON
        self._service = service
        self._incoming = Incoming(transport, service)
        # Bound once, and not for each request.
        self._receive_content = self._incoming.receive_content
        self._exchange: Exchange | None = None
        #: When the present exchange began, on the clock of `now`.
        self._began = 0.0
        self._greenlet: Any = None
        #: Offered with the present request, or taken.
        self._tunnel: Tunnel | None = None
        self._served = 0
        self.idle = False
        #: Another needs its room.
        self._evicted = False
        #: Idle without a greenlet.
        self._asleep = False
        #: When an idle connection ends, on the clock of `now`.
        self._deadline = 0.0
        #: It has had its last answer, and is only heard out.
        self._lingers = False
        peer: str = facts["REMOTE_ADDR"]
        self._standing = service.introductions.standing_of(peer)
        #: The client; empty for one on a unix socket, and as long as a proxy has not said who it is.
        self.address = "" if service.introductions.expects_header(peer) else peer

    def serve(self) -> None:
        """Open the connection and answer requests until the last one, or until it falls asleep."""
        self._live(self._open)

    def resume(self) -> None:
        """Go on in a new greenlet after a sleep, unless another has done so."""
        if self._asleep:
            self._live(self._wake_up)

    def _live(self, begin: Callable[[], bool]) -> None:
        """Answer requests if there may be any: the whole life of a greenlet."""
        self._greenlet = getcurrent()
        try:
            if begin():
                while self._serve_next():
                    self._served += 1
        except HandshakeFailed as failure:
            self._service.note_handshake(self.address, failure)
        except ProxyHeaderRefused:
            # It is written down, and gets no answer.
            pass
        except ClientDisconnected as error:
            error_log.debug("%s: %s", self.address or "-", error)
        except Timeout as timeout:
            # It may also come while the next request on this connection is answered, and then ends that.
            error_log.error(
                "a connection was ended by a gevent.Timeout of %s that the application started and never closed", timeout
            )
        except Exception:
            error_log.exception("a connection ended on an error of the server's own; please report it")
        finally:
            self._greenlet = None
            if not self._asleep:
                self._close()

    def _close(self) -> None:
        # What points in a circle would wait for the garbage collector.
        self._environ = NO_ENVIRON
        self._transport.close()
        if self._tunnel is not None:
            self._tunnel.discard()
            self._tunnel = None
        self._service.connections.dismiss(self)

    def _open(self) -> bool:
        """Do what comes before the first request; return False if there will be none.

        Raises ProxyHeaderRefused or HandshakeFailed.
        """
        peer = self._facts["REMOTE_ADDR"]
        if self._service.introductions.expects_header(peer) and not self._meet_client():
            return False
        self._facts.update(self._transport.open(now() + self._service.config.handshake_timeout))
        self._make_environ()
        return True

    def _make_environ(self) -> None:
        self._environ = {**self._base, **self._facts, "wsgi.early_hints": self._send_early_hints}

    def _meet_client(self) -> bool:
        """Read of a proxy whose connection this is; return False if there is nobody, or one too many of them."""
        introductions = self._service.introductions
        if not introductions.read_header(self._transport.carrier, self._facts):
            return False
        client = self.address = self._facts["REMOTE_ADDR"]
        self._standing = introductions.standing_of(client)
        if not self._service.connections.count(self):
            self.address = ""
            return False
        return True

    def _serve_next(self) -> bool:
        """Read and answer one request; return whether another may follow."""
        try:
            head = self._read_head()
            return head is not None and self._answer(head)
        except ProtocolError as refusal:
            self._refuse(refusal)
            return False

    def _read_head(self) -> RequestHead | None:
        """Return the head of the next request, None if there will be none, or none soon."""
        incoming = self._incoming
        data = incoming.buffer or self._receive_first()
        return incoming.read_head(data, self._environ, self._standing) if data else None

    # Idle.

    def _receive_first(self) -> bytes:
        """Return the first bytes of a request, b"" if none will come, or none soon; the connection is idle meanwhile."""
        connections = self._service.connections
        moment = now()
        self._deadline = moment + self._idle_time()
        self.idle = True
        connections.rest(self)
        try:
            return self._transport.receive(min(self._deadline, moment + self._service.quiet_time))
        except DeadlineExceeded:
            return b"" if self._falls_asleep() else self._receive_last()
        finally:
            if not self._asleep:
                self.idle = False
                connections.wake(self)

    def _idle_time(self) -> float:
        service = self._service
        if service.draining:
            return IDLE_LINGER
        return service.idle_time if self._served else service.first_idle_time

    def _receive_last(self) -> bytes:
        """Return what arrived in this very moment: it is a request, and we have not said that we would close."""
        data = self._transport.receive_now() or b""
        self._service.row["deadlines_idle"] += not data
        return data

    def _falls_asleep(self) -> bool:
        """Give up greenlet and environ until the client says something, if there is time left for it."""
        if now() >= self._deadline or self._transport.pending:
            return False
        self._asleep = True
        self._environ = NO_ENVIRON
        self._transport.sleep(self._deadline, self.resume)
        return True

    def _wake_up(self) -> bool:
        """Take up what was given up; return False if nothing came in all the time there was."""
        self._asleep = self.idle = False
        self._service.connections.wake(self)
        self._make_environ()
        if now() < self._deadline:
            return True
        self._incoming.buffer += self._receive_last()
        return bool(self._incoming.buffer)

    # Answering.

    def _answer(self, head: RequestHead) -> bool:
        """Run one exchange; return whether the connection outlives it. Raises ProtocolError if it cannot begin."""
        if head.upgrade is not None:
            self._consider_upgrade(head)
        welcome = self._send_continue if head.expects_continue else None
        decoder = content_after(head, self._service.limits)
        content = Input(decoder, self._incoming.buffer, self._receive_content, welcome)
        try:
            if isinstance(decoder, ChunkedContent):
                self._take_chunked(head.environ, decoder, content)
            return self._outlives(self._run(head, content))
        finally:
            content.close()

    def _consider_upgrade(self, head: RequestHead) -> None:
        """Offer the connection itself to the application, if the client wants to speak WebSocket on it.

        What came behind such a request already was sent in the hope of another
        protocol, so it is never read as a request.
        """
        if asks_for_websocket(head):
            tunnel = self._tunnel = Tunnel(self._transport, self._incoming.buffer, self._hand_over)
            head.environ["gunicorn.socket"] = LentSocket(tunnel)
            offer_websocket(tunnel, head.environ)
        head.persistent = head.persistent and not self._incoming.buffer

    def _take_chunked(self, environ: dict[str, Any], decoder: ChunkedContent, content: Input) -> None:
        """Make chunked content look as an application expects content to look.

        The coding is gone once it is decoded; those who see the field in
        environ look for chunks, and those who see no length read nothing.
        """
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["greenserve.trailers"] = decoder.trailers
        if self._service.spooling is not None:
            environ["CONTENT_LENGTH"] = str(content.spool(self._service.spooling))

    def _run(self, head: RequestHead, content: Input) -> Exchange:
        service = self._service
        service.began()
        exchange = self._exchange = Exchange(head, content, self, self._tunnel)
        self._began = now()
        try:
            # A context of its own: what one request sets, the next must not see.
            copy_context().run(service.run, exchange, service.application)
        finally:
            if self._tunnel is not None:
                self._end_tunnel(self._tunnel, exchange)
                # It points back at environ.
                head.environ.pop("wsgi.websocket", None)
            service.ended(head.environ, exchange, self._began)
            self._exchange = None
        return exchange

    def _hand_over(self) -> None:
        """Let the application have the connection. Raises TunnelClosed if it has begun to answer."""
        if self._exchange is None or self._exchange.head_sent:
            raise TunnelClosed("the answer to the request has begun")
        self._service.handed_over()
        if self._service.draining and self._tunnel is not None:
            spawn(self._leave_late, self._tunnel)

    def _leave_late(self, tunnel: Tunnel) -> None:
        """Say goodbye on a tunnel that begins while the worker leaves, and then that it has: it may be the last to wait for."""
        tunnel.leave(GOING_AWAY)
        self._service.tunnel_begun()

    def _end_tunnel(self, tunnel: Tunnel, exchange: Exchange) -> None:
        tunnel.finish(NORMAL if exchange.succeeded else INTERNAL_ERROR)
        exchange.sent += tunnel.sent
        if not tunnel.taken:
            self._tunnel = None

    def _outlives(self, exchange: Exchange) -> bool:
        """Make the connection ready for the next request, or for its end."""
        if isinstance(exchange.failure, ClientDisconnected):
            return False
        content = exchange.input
        if exchange.persistent and (content.finished or self._discard(content)):
            return True
        if exchange.is_taken_over():
            self._linger()
        elif not exchange.complete:
            self._transport.cut()
        elif not content.finished:
            self._linger()
        return False

    def _discard(self, content: Input) -> bool:
        try:
            return content.discard()
        except ProtocolError:
            return False

    def _send_continue(self) -> None:
        """Send 100 (Continue), unless the final answer is on its way already."""
        if self._exchange is None or not self._exchange.head_sent:
            self._transport.send(CONTINUE)

    def _send_early_hints(self, fields: Iterable[tuple[str, str]]) -> None:
        """`wsgi.early_hints`, one for all requests of the connection: few applications ever use it."""
        if self._exchange is not None:
            self._exchange.send_early_hints(fields)

    def _refuse(self, refusal: ProtocolError) -> None:
        """Answer what is not a request that we serve, and hear no more from this client."""
        # Without what stands empty there until a request fills it.
        known = {key: value for key, value in {**self._base, **self._facts}.items() if value is not None}
        self._service.refused(known, refusal)
        self._transport.send(make_refusal(refusal.status, method="GET", date=self._service.date()))
        self._linger()

    def _linger(self) -> None:
        """Hear a client out that has its last answer; any other that comes needs the room more."""
        connections = self._service.connections
        end = now() + (IDLE_LINGER if self._service.draining else LINGER)
        self._lingers = True
        connections.rest(self)
        try:
            self._transport.linger(end, LINGER_SILENCE)
        finally:
            connections.wake(self)

    # What an Exchange needs of us.

    def send(self, *pieces: bytes) -> None:
        if self._incoming.buffer:
            # The next request is here already, and its answer can leave together with this one.
            self._transport.stream(*pieces)
        else:
            self._transport.send(*pieces)

    def stream(self, *pieces: bytes) -> None:
        self._transport.stream(*pieces)

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        send = self._transport.send_file if self._service.config.sendfile else self._transport.copy_file
        return send(descriptor, offset, count)

    def date(self) -> str:
        return self._service.date()

    def may_persist(self) -> bool:
        return self._service.may_persist and not self._evicted

    # What the worker asks of us, from the hub.

    def evict(self) -> None:
        """Close at once; it is idle, or lingers. A request that has just come is answered, and is the last one."""
        self._deadline = 0.0
        self._evicted = True
        if self._asleep:
            spawn_raw(self.resume)
        else:
            self._transport.interrupt()

    def find_unfinished(self) -> Unfinished | None:
        """Return the request that the application works on, or None."""
        if self._exchange is None:
            return None
        environ, seconds = self._exchange.environ, now() - self._began
        # An application may have taken everything out of it.
        return Unfinished(environ.get("REQUEST_METHOD", "-"), environ.get("RAW_URI", "-"), seconds, self._greenlet.gr_frame)

    def drain(self) -> None:
        """Close soon if idle; otherwise the next answer is the last, and a tunnel ends."""
        if self.idle or self._lingers:
            self._deadline = min(self._deadline, now() + IDLE_LINGER)
            self._transport.hasten(now() + IDLE_LINGER)
        elif self._tunnel is not None and self._tunnel.taken:
            spawn(self._tunnel.leave, GOING_AWAY)

    def close_tunnel(self) -> None:
        """Let client and application find the end of a tunnel."""
        if self._tunnel is not None and self._tunnel.taken:
            spawn(self._tunnel.hang_up)
