"""Takes connections from one listener and gives each a greenlet.

gevent's StreamServer with these differences: the accepted socket stays a raw
one, since readiness waits for it; accepting rests while the worker is full or
the system out of descriptors, and the longest idle connections make room.
"""

import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from gevent import get_hub, spawn_raw
from gevent.server import StreamServer
from greenlet import greenlet

from greenserve.status import Row
from greenserve.worker.balance import Balance
from greenserve.worker.connection import Connection
from greenserve.worker.connections import Connections
from greenserve.worker.wire import Listener, Wire
from greenserve.worker.wires import wires

error_log = logging.getLogger("greenserve.error")

#: How long accepting rests when the system has no descriptor or memory for one more connection, in seconds.
PAUSE = 0.1

#: How long a worker with more connections than another leaves the next ones to it, in seconds.
ASIDE = 0.005

#: How many idle connections are let go to get descriptors back.
SPARED = 8

OUT_OF_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

#: What a connection that failed before it was accepted leaves to accept(), which then says nothing of the listener.
STILLBORN = frozenset(
    {
        errno.EINTR,
        errno.ECONNABORTED,
        errno.EPROTO,
        errno.EPERM,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
    }
)

Open = Callable[[Wire, Any], Connection | None]


class Acceptor(StreamServer):  # type: ignore[misc]  # gevent has no types
    """Accepts from a listener that is shared with other workers.

    *open_connection* makes a Connection of a wire and the peer's address, or
    refuses it with None.
    """

    #: At most so many in one turn of the loop; each is asked for its balance first.
    max_accept = 16

    def __init__(
        self,
        listener: socket.socket,
        open_connection: Open,
        connections: Connections,
        balance: Balance,
        row: Row,
    ) -> None:
        super().__init__(listener, open_connection)
        self._hub = get_hub()
        self._listener: Listener = wires.Listener(self.socket)
        self._open = open_connection
        self._connections = connections
        self._balance = balance
        self._row = row
        self._pause: Any = None
        self._aside: Any = None

    def do_read(self) -> tuple[Wire, Any] | None:
        """Take one connection, if it is this worker's to take and there is room for it."""
        if not self._balance.takes_next():
            self._step_aside()
        elif not self._connections.has_room():
            self._connections.awaited = True
            self.stop_accepting()
        else:
            return self._accept()
        return None

    def _accept(self) -> tuple[Wire, Any] | None:
        try:
            taken = self._listener.accept()
        except OSError as error:
            if error.errno in OUT_OF_ROOM:
                self._rest(error)
            elif error.errno not in STILLBORN:
                raise
            return None
        if self._pause is not None:
            self._note_room()
        return taken

    def do_handle(self, wire: Wire, peer: Any) -> None:
        """Serve a connection until it waits; called in the hub."""
        connection = self._open(wire, peer)
        if connection is None:
            wire.close()
        else:
            greenlet(connection.serve, self._hub).switch()

    def _handle_soon(self, wire: Wire, peer: Any) -> None:
        """Let the hub serve a connection, which counts from now on."""
        connection = self._open(wire, peer)
        if connection is None:
            wire.close()
        else:
            spawn_raw(connection.serve)

    def resume(self) -> None:
        """Accept again after a rest, if there is room now."""
        if self.started and self._pause is None and self._aside is None and self._connections.has_room():
            self.start_accepting()

    def finish(self, most: int) -> None:
        """Take what waits in the listener's queue already, *most* at the most, then accept no more."""
        if self.started:
            self._take_waiting(most)
        self._end_pause()
        self._end_aside()
        self._stop_event.set()
        self.stop_accepting()

    def _take_waiting(self, most: int) -> None:
        for _ in range(most):
            taken = self._accept()
            if taken is None:
                break
            self._handle_soon(*taken)

    def _step_aside(self) -> None:
        """Leave the next connection to another worker, but not for long."""
        self.stop_accepting()
        self._aside = self._hub.loop.timer(ASIDE)
        self._aside.start(self._come_back)

    def _come_back(self) -> None:
        self._end_aside()
        self._balance.waited()
        self.resume()

    def _end_aside(self) -> None:
        if self._aside is not None:
            self._aside.close()
            self._aside = None

    def _rest(self, error: OSError) -> None:
        """Wait for descriptors without spinning: the listener stays readable all the while."""
        self._row["accept_pauses"] += 1
        if self._pause is None:
            error_log.error("no connection can be accepted (%s): idle ones are let go until it can", error.strerror)
        self._end_pause()
        self.stop_accepting()
        for _ in range(SPARED):
            if not self._connections.make_room():
                break
        self._pause = self._hub.loop.timer(PAUSE)
        self._pause.start(self._try_again)

    def _try_again(self) -> None:
        if self.started:
            self.start_accepting()

    def _note_room(self) -> None:
        self._end_pause()
        error_log.info("connections are accepted again")

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._pause.close()
            self._pause = None
