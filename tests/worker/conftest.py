"""One connection of a worker, in this process: a socket pair, a hub, and an application."""

import _socket
import socket
from contextlib import ExitStack

import gevent
import gevent.socket
import pytest

from greenserve.config import Config
from greenserve.status import Scoreboard
from greenserve.worker.connection import Connection
from greenserve.worker.readiness import EpollReadiness, LoopReadiness
from greenserve.worker.service import Service
from greenserve.worker.tls import TlsTransport
from greenserve.worker.transport import Patience, Transport
from greenserve.worker.wires import wires
from greenserve.wsgi.environ import ErrorStream, listener_environ, peer_facts

#: Deadlines are looked at this often, in seconds, so that tests of short ones end soon.
SWEEP = 0.01


class Client:
    """The other end of a connection; waits without holding up the hub that serves it."""

    def __init__(self, sock):
        self.socket = sock

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, ending=b""):
        """Return what comes until it ends with *ending*, or until the server closes."""
        data = b""
        with gevent.Timeout(10):
            while not (ending and data.endswith(ending)):
                piece = self.socket.recv(65536)
                if not piece:
                    break
                data += piece
        return data

    def left(self):
        """Return whether the server has closed."""
        with gevent.Timeout(10):
            return self.socket.recv(1) == b""


class Stage:
    """A worker's surroundings. `serve` opens one more connection."""

    def __init__(self, waiter):
        self.waiter = waiter
        self.row = Scoreboard(1).row(0)
        #: What was counted: a request each.
        self.counted = []
        self.greenlets = []
        self.service = None
        #: The context of the listener, if it speaks TLS.
        self.tls = None

    def make_service(self, application, **settings):
        self.service = Service(application, Config(**settings), self.waiter, self.row, None, lambda: None)
        self.service.counted = lambda: self.counted.append(1)
        return self.service

    def serve(self, application, **settings):
        """Open a connection to a new service."""
        self.make_service(application, **settings)
        return self.serve_beside()

    def serve_beside(self):
        """Open one more connection to the same service."""
        theirs, ours = socket.socketpair()
        raw = _socket.socket(ours.family, ours.type, ours.proto, fileno=ours.detach())
        service = self.service
        base = listener_environ(("127.0.0.1", 80), multiprocess=False, errors=ErrorStream(str))
        patience = Patience(service.config.write_timeout, service.config.minimum_rate, self.row)
        transport = Transport(wires.wrap(raw), self.waiter, patience)
        if self.tls is not None:
            transport = TlsTransport(transport, self.tls, self.row)
        connection = Connection(transport, base, peer_facts(("192.0.2.1", 1234)), service)
        if service.connections.admit(connection):
            self.greenlets.append(gevent.spawn(connection.serve))
        else:
            transport.close()
        return Client(gevent.socket.socket(fileno=theirs.detach()))

    def finish(self):
        """Return when every connection has ended."""
        gevent.joinall(self.greenlets, timeout=10)
        assert all(greenlet.dead for greenlet in self.greenlets)
        with gevent.Timeout(10):
            while self.service is not None and len(self.service.connections):
                gevent.sleep(0.001)


@pytest.fixture(params=[getattr(wires, "EpollReadiness", EpollReadiness), LoopReadiness], ids=["epoll", "loop"])
def stage(request, leaves_nothing):
    """Every test that asks for `stage` runs with each way of waiting."""
    with ExitStack() as opened:
        waiter = request.param()
        opened.callback(waiter.close)
        timer = gevent.get_hub().loop.timer(SWEEP, SWEEP)
        timer.start(waiter.expire)
        opened.callback(timer.close)
        stage = Stage(waiter)
        yield stage
        stage.finish()


@pytest.fixture
def serve(stage):
    """Return a function that serves an application on a new connection and gives the client's end."""
    clients = []

    def open_one(application, **settings):
        clients.append(stage.serve(application, **settings))
        return clients[-1]

    yield open_one
    for client in clients:
        client.socket.close()
