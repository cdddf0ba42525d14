"""One worker process: a hub, the listeners it accepts from, and its conversation with the master."""

import logging
import os
import signal
import socket
import time
from functools import partial
from math import inf
from ssl import SSLContext
from typing import Any

from gevent import get_hub, signal_handler, sleep, spawn
from gevent.event import Event

from greenserve.hooks import try_hook
from greenserve.log import AccessLog, flush_error_log, reopen_error_log, write_error_text
from greenserve.mailbox import Drain, Message, Relieved, ReopenLogs, Retire, Withdrawn
from greenserve.seat import Seat
from greenserve.status import monotonic_ms
from greenserve.title import Title
from greenserve.worker.acceptor import Acceptor
from greenserve.worker.balance import Balance
from greenserve.worker.connection import Connection
from greenserve.worker.drain import Draining, Step
from greenserve.worker.hooks import find_run
from greenserve.worker.lifetime import Lifetime
from greenserve.worker.readiness import open_readiness
from greenserve.worker.service import Service
from greenserve.worker.tls import TlsTransport
from greenserve.worker.transport import Patience, Transport
from greenserve.worker.unfinished import log_unfinished
from greenserve.worker.wire import READABLE, Wire
from greenserve.wsgi.environ import ErrorStream, listener_environ, peer_facts
from greenserve.wsgi.exchange import Application

error_log = logging.getLogger("greenserve.error")

#: Deadlines are kept, and signs of life given, twice a second.
TICK = 0.5

#: Time for the loop to forget a listener before it is closed: it is still open in other processes.
FORGET = 0.01


class Worker:
    def __init__(self, seat: Seat, application: Application, access_log: AccessLog | None, tls: SSLContext | None) -> None:
        self._seat = seat
        self._access_log = access_log
        self._tls = tls
        self._waiter = open_readiness()
        self._service = Service(application, seat.config, self._waiter, seat.row, access_log, self._changed)
        self._service.run = find_run(seat.config, seat.worker)
        self._service.tunnel_begun = self._tunnel_begun
        self._lifetime = Lifetime(
            seat.config, seat.row, seat.scoreboard, self._service.connections, seat.mailbox.send, self._leave_relieved
        )
        if seat.config.max_requests:
            self._service.counted = self._lifetime.count
        self._patience = Patience(seat.config.write_timeout, seat.config.minimum_rate, seat.row)
        self._balance = Balance(seat.scoreboard, seat.number)
        #: What applications watch to end their streams.
        self._departure = Event()
        self._acceptors = [self._open_acceptor(listener) for listener in seat.listeners]
        self._title = Title(f"worker {seat.number}", seat.config)
        self._draining = Draining(inf if seat.config.tunnel_grace is None else seat.config.tunnel_grace)
        #: How many of the connections that wait in the listener's queue are taken before it is let go.
        self._queue_share = seat.config.backlog
        self._finished = Event()
        self._watchers: list[Any] = []

    def _open_acceptor(self, listener: socket.socket) -> Acceptor:
        config = self._seat.config
        errors = ErrorStream(write_error_text)
        # Nobody listens in on a unix socket, and the proxy at its other end speaks plain HTTP.
        tls = self._tls if listener.family != socket.AF_UNIX else None
        multiprocess = config.resolved_workers > 1
        base = listener_environ(
            listener.getsockname(),
            multiprocess=multiprocess,
            errors=errors,
            tls=tls is not None,
            ready=self._is_ready,
            draining=self._departure,
        )
        take = partial(self._open_connection, base, tls)
        return Acceptor(listener, take, self._service.connections, self._balance, self._seat.row)

    def _is_ready(self) -> bool:
        return not self._seat.scoreboard.leaving

    def _open_connection(self, base: dict[str, Any], tls: SSLContext | None, wire: Wire, peer: Any) -> Connection | None:
        """Make a connection of an accepted socket, counted from now on; None if it is one too many."""
        carrier = Transport(wire, self._waiter, self._patience)
        transport = carrier if tls is None else TlsTransport(carrier, tls, self._seat.row)
        connection = Connection(transport, base, peer_facts(peer), self._service)
        return connection if self._service.connections.admit(connection) else None

    def _changed(self) -> None:
        """A connection has ended: there may be room for another, or nothing left to do."""
        if not self._service.draining:
            self._service.connections.awaited = False
            for acceptor in self._acceptors:
                acceptor.resume()
        else:
            self._proceed()

    def _tunnel_begun(self) -> None:
        """A connection was taken over, and told that we go: nothing else may be left to wait for."""
        self._draining.tunnel_begun()
        self._proceed()

    # The life of the process.

    def start(self) -> None:
        """Begin to serve. Whatever the master or a signal may ask is heard from here on."""
        self._handle_signals()
        loop = get_hub().loop
        self._watch(loop.timer(TICK, TICK), self._tick)
        self._mail_watcher = self._watch(loop.io(self._seat.mailbox.fileno(), READABLE), self._read_mail)
        self._seat.row["heartbeat_ms"] = monotonic_ms()
        self._lifetime.begin(time.monotonic())
        # A worker that was told to leave while it was booting must accept nothing.
        self._read_mail()
        if not self._service.draining:
            self._seat.row["accepting"] = 1
            for acceptor in self._acceptors:
                acceptor.start()

    def run(self) -> int:
        """Serve until drained; return the exit code."""
        try:
            self._finished.wait()
        finally:
            # Also when gevent ends us, for an error of the interpreter itself in a greenlet.
            self._close_logs()
        return 0

    def _close_logs(self) -> None:
        if self._access_log is not None:
            self._access_log.close()
            self._seat.row["access_lines_lost"] = self._access_log.lost

    def _watch(self, watcher: Any, callback: Any) -> Any:
        """Start *watcher*, and keep it: gevent forgets one that nobody holds."""
        watcher.start(callback)
        self._watchers.append(watcher)
        return watcher

    def _tick(self) -> None:
        self._seat.row["heartbeat_ms"] = monotonic_ms()
        self._service.expire()
        self._lifetime.tick(time.monotonic())
        self._flush_logs()
        self._title.tell(time.monotonic(), *self._facts())

    def _flush_logs(self) -> None:
        """See to what a slow reader has not taken: the next line, with which it would go, may be long in coming."""
        flush_error_log()
        if self._access_log is not None:
            self._access_log.flush()
            self._seat.row["access_lines_lost"] = self._access_log.lost

    def _facts(self) -> tuple[str, ...]:
        """What the title says."""
        row = self._seat.row
        in_flight = f"{row['in_flight']} in flight" if row["in_flight"] else ""
        websockets = f"{row['websockets']} WebSockets" if row["websockets"] else ""
        return in_flight, websockets, "draining" if self._service.draining else ""

    def _handle_signals(self) -> None:
        """Hear what a person sends to this very process; the master uses the mailbox."""
        self._watchers += [
            signal_handler(signal.SIGTERM, self._leave),
            signal_handler(signal.SIGQUIT, self.drain, 0.0),
            signal_handler(signal.SIGUSR1, self._reopen_logs),
        ]
        if self._seat.config.worker_abort is not None:
            # Python's own handler: it is heard where the hub is stuck, too.
            signal.signal(signal.SIGABRT, lambda *_: self._abort())
        # A terminal sends these to every process of the group; the master decides what follows.
        # Not SIG_IGN, which programs that the application starts would inherit.
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, lambda *_: None)

    def _leave(self) -> None:
        """Go as a person asked, but not before the master has put another in our place."""
        if not self._seat.mailbox.send(Retire("it was sent SIGTERM")):
            self.drain(self._seat.config.graceful_timeout)

    def _abort(self) -> None:
        """End at once, but for what hooks have to do; nothing of the application is called any more."""
        worker = self._seat.worker
        try_hook(self._seat.config, "worker_abort", worker)
        try_hook(self._seat.config, "worker_exit", worker.server, worker)
        os._exit(1)

    # What the master asks.

    def _read_mail(self) -> None:
        mailbox = self._seat.mailbox
        for message in mailbox.receive():
            self._obey(message)
        if mailbox.closed:
            self._mail_watcher.stop()
            error_log.error("the master is gone: no new connections, and the end when the present ones are finished")
            self.drain(self._seat.config.graceful_timeout)

    def _obey(self, message: Message) -> None:
        if isinstance(message, Drain):
            self.drain(message.grace)
        elif isinstance(message, Relieved):
            self._lifetime.relieve()
        elif isinstance(message, ReopenLogs):
            self._reopen_logs()

    def _reopen_logs(self) -> None:
        reopen_error_log()
        if self._access_log is not None:
            self._access_log.reopen()

    # The end.

    def _leave_relieved(self) -> None:
        """Go by ourselves. What waits in the listener's queue is for those who stay."""
        if not self._service.draining:
            self._queue_share = 0
            self.drain(self._seat.config.graceful_timeout)

    def drain(self, grace: float) -> None:
        """Accept no more and finish what was accepted; after *grace* seconds, end all the same."""
        self._draining.begin(grace, time.monotonic())
        self._proceed_in_time()

    def _proceed_in_time(self) -> None:
        self._proceed()
        wake_at = self._draining.wake_at()
        if wake_at is not None:
            # The loop's clock may be a little ahead of the one that is asked then: we come back once more.
            self._watch(get_hub().loop.timer(max(wake_at - time.monotonic(), 0.0)), self._proceed_in_time)

    def _proceed(self) -> None:
        tunnels = self._seat.row["websockets"]
        for step in self._draining.steps(time.monotonic(), len(self._service.connections) - tunnels, tunnels):
            self._take(step)

    def _take(self, step: Step) -> None:
        if step is Step.LEAVE:
            self._begin_to_leave()
        elif step is Step.HURRY:
            # The hub may not wait, and a hook may want to.
            spawn(try_hook, self._seat.config, "worker_int", self._seat.worker)
        elif step is Step.SAY_WITHDRAWN:
            self._seat.mailbox.send(Withdrawn())
        elif step is Step.CLOSE_TUNNELS:
            self._service.connections.close_tunnels()
        elif step is Step.NAME_UNFINISHED:
            self._name_unfinished()
        elif step is Step.END:
            # Behind those that were spawned before it, the hook among them.
            spawn(self._finished.set)

    def _begin_to_leave(self) -> None:
        self._service.draining = True
        self._service.counted = None
        self._departure.set()
        self._seat.row["accepting"] = 0
        spawn(self._stop_accepting)
        self._service.connections.awaited = True
        self._service.connections.drain()

    def _stop_accepting(self) -> None:
        for acceptor in self._acceptors:
            acceptor.finish(self._queue_share)
        sleep(FORGET)
        for acceptor in self._acceptors:
            acceptor.close()
        self._draining.deafened()
        self._proceed()

    def _name_unfinished(self) -> None:
        unfinished = self._service.connections.find_unfinished()
        if unfinished and self._draining.hurried:
            error_log.warning("%d requests were still in progress, and are cut off", len(unfinished))
        else:
            log_unfinished(unfinished)
