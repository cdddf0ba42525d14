"""What all connections of one worker share: the application, the limits, and whether to go on."""

import logging
import os
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from greenserve.config import Config
from greenserve.errors import BadResponse, ClientDisconnected, ContentNotStored, HandshakeFailed, ProtocolError, SpoolFull
from greenserve.log import Access, AccessLog, Ration
from greenserve.protocol.heads import parse_request_head
from greenserve.protocol.leniency import STRICT, Leniency, LenientParser, Parse
from greenserve.protocol.limits import Limits
from greenserve.status import COLUMNS, Row
from greenserve.worker.connections import Connections
from greenserve.worker.frames import application_frames, place_of
from greenserve.worker.gate import Gate
from greenserve.worker.introduction import Introductions
from greenserve.worker.readiness import Waiter
from greenserve.worker.wire import now
from greenserve.wsgi.exchange import Application, Exchange
from greenserve.wsgi.spool import Spooling

error_log = logging.getLogger("greenserve.error")

#: An idle connection that has been quiet for so many seconds gives up its greenlet, with all that belongs to it.
QUIET_TIME = 5.0

#: Lines a second about requests that were refused, and about handshakes that failed; the counters know of all.
REFUSALS_LOGGED = 10


class Service:
    """One worker's application, ready to serve connections."""

    def __init__(
        self,
        application: Application,
        config: Config,
        waiter: Waiter,
        row: Row,
        access_log: AccessLog | None,
        changed: Callable[[], None],
    ) -> None:
        """*changed* is called when a connection has ended."""
        self.application = application
        #: What runs an exchange with the application; hooks may stand around it.
        self.run: Callable[[Exchange, Application], None] = Exchange.run
        self.config = config
        self.waiter = waiter
        self.row = row
        self._in_flight = row.cell("in_flight")
        self._requests = row.cell("requests")
        self.limits = limits_of(config)
        #: How chunked content is kept until the application reads it; None if it is handed over as it comes.
        self.spooling = None if config.stream_chunked else make_spooling(config)
        self.connections = Connections(config.worker_connections, config.connections_per_address, row, changed)
        self.gate = (
            Gate(config.requests_in_flight, config.request_queue, config.queue_timeout, row)
            if config.requests_in_flight
            else None
        )
        self.introductions = Introductions(config, row)
        self.parse_head = self._choose_parser()
        self.quiet_time = QUIET_TIME
        #: How long a connection may be idle, in seconds, before its first request and between two.
        self.first_idle_time: float = config.head_timeout
        self.idle_time: float = config.keepalive
        #: No new request is promised a place on its connection any more.
        self.draining = False
        self._access_log = access_log
        self._handshakes = Ration(error_log, REFUSALS_LOGGED)
        self._refusals = Ration(error_log, REFUSALS_LOGGED)
        #: Called after every request, if somebody counts them.
        self.counted: Callable[[], None] | None = None
        #: Called when an application has taken a connection over while the worker leaves.
        self.tunnel_begun: Callable[[], None] = lambda: None
        self._pid = os.getpid()
        self._date = ""
        #: When it is the next second's turn, on the clock of `now`.
        self._date_ends = 0.0

    def date(self) -> str:
        """Return the value of the Date field, made anew once a second."""
        moment = now()
        if moment >= self._date_ends:
            second = time.time()
            self._date_ends = moment + 1.0 - second % 1.0
            self._date = formatdate(second, usegmt=True)
        return self._date

    @property
    def may_persist(self) -> bool:
        return not self.draining and self.idle_time > 0

    def _choose_parser(self) -> Parse:
        """Return what reads a head: the strict parser itself, if no leniency is asked for."""
        leniency = leniency_of(self.config)
        return parse_request_head if leniency == STRICT else LenientParser(leniency, self._count_leniency, parse_request_head)

    def _count_leniency(self, name: str) -> None:
        self.row[f"used_{name}"] += 1

    def count_refusal(self, refusal: ProtocolError) -> None:
        """Count what is wrong with requests; want of time (408) or room (503) is counted where it is found."""
        column = "contents_turned_away" if isinstance(refusal, SpoolFull) else f"refused_{refusal.status}"
        if column in COLUMNS:
            self.row[column] += 1

    def refused(self, environ: dict[str, Any], refusal: ProtocolError) -> None:
        """Write down what was refused before it was a request; *environ* is the connection's."""
        self.count_refusal(refusal)
        peer = environ["REMOTE_ADDR"] or "-"
        if isinstance(refusal, ContentNotStored):
            error_log.error("a request from %s was refused with %d: %s", peer, refusal.status, refusal)
        else:
            self._refusals.info("a request from %s was refused with %d: %s", peer, refusal.status, refusal)
        if self._access_log is not None:
            self._access_log.record(Access(environ, refusal.status, [], None, time.time(), 0.0, self._pid))

    def began(self) -> None:
        """Let a request in. Raises Overloaded (503) if there is no room for it."""
        if self.gate is not None:
            self.gate.enter()
        self._in_flight.add(1)

    def ended(self, environ: dict[str, Any], exchange: Exchange, began: float) -> None:
        """Count an exchange, and write down how it went; it *began* on the clock of `now`."""
        taken_over = exchange.is_taken_over()
        if taken_over:
            self.row["websockets"] -= 1
        else:
            self._leave()
            self._requests.add(1)
            if (exchange.code or 0) >= 500:
                self.row["responses_5xx"] += 1
        if exchange.failure is not None:
            self._note_failure(environ, exchange.failure)
        if self._access_log is not None:
            elapsed = now() - began
            started = time.time() - elapsed
            self._access_log.record(Access(environ, exchange.status, exchange.fields, exchange.sent, started, elapsed, self._pid))
        if self.counted is not None and not taken_over:
            self.counted()

    def handed_over(self) -> None:
        """A request has become a WebSocket: it takes no request's place any more."""
        self._leave()
        self.row["websockets"] += 1
        self.row["websockets_opened"] += 1

    def _leave(self) -> None:
        if self.gate is not None:
            self.gate.leave()
        self._in_flight.add(-1)

    def note_handshake(self, peer: str, failure: HandshakeFailed) -> None:
        """Say in one line that TLS did not begin, and in fewer if there are many; that a probe came and went is no news."""
        log = error_log.debug if failure.silent else self._handshakes.info
        log("no TLS with %s: %s", peer or "-", failure)

    def expire(self) -> None:
        """End what has taken too long; called by the sweeper, in the hub."""
        self.waiter.expire()
        if self.gate is not None:
            self.gate.expire()

    def _note_failure(self, environ: dict[str, Any], failure: BaseException) -> None:
        if isinstance(failure, ProtocolError):
            self.count_refusal(failure)
        log_failure(environ, failure)


def make_spooling(config: Config) -> Spooling:
    return Spooling(config.spool_memory, config.tmp_upload_dir, config.spool_limit)


def limits_of(config: Config) -> Limits:
    return Limits(
        line=config.limit_request_line,
        fields=config.limit_request_fields,
        field_size=config.limit_request_field_size,
        # Who allows a long line means it: the head that it stands in must not be refused for its length.
        head=max(Limits().head, config.limit_request_line + config.limit_request_field_size),
        content=config.limit_request_content or None,
        method=0 if config.permit_unconventional_http_method else Limits().method,
    )


def leniency_of(config: Config) -> Leniency:
    return Leniency(*(getattr(config, name) for name in Leniency._fields))


def log_failure(environ: dict[str, Any], failure: BaseException) -> None:
    """Say in the error log why an exchange did not end well."""
    # An application may have taken everything out of it.
    request = environ.get("REQUEST_METHOD", "-"), environ.get("RAW_URI", "-")
    if isinstance(failure, ClientDisconnected):
        error_log.debug("%s %s: %s", *request, failure)
    elif isinstance(failure, ProtocolError):
        error_log.info(
            "%s %s from %s was refused with %d: %s", *request, environ.get("REMOTE_ADDR") or "-", failure.status, failure
        )
    elif isinstance(failure, BadResponse):
        error_log.error("%s %s: %s%s", *request, failure, place_of(failure))
    else:
        error_log.error("%s %s failed in the application", *request, exc_info=failure.with_traceback(application_frames(failure)))
