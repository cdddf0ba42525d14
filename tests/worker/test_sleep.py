"""An idle connection gives up its greenlet after a while, and loses nothing by it."""

import gevent
import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

#: How long a connection must be idle to fall asleep here, in seconds; the sweeper comes every 0.01.
QUIET = 0.02


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REMOTE_ADDR"].encode() + environ["REMOTE_PORT"].encode()]


@pytest.fixture
def client(stage):
    """A client that has been answered once, on a connection that soon falls asleep."""
    stage.make_service(hello)
    stage.service.quiet_time = QUIET
    client = stage.serve_beside()
    client.send(GET)
    client.receive(b"192.0.2.11234")
    yield client
    client.socket.close()


def wait_for_sleep(stage):
    """Return when no connection has a greenlet any more."""
    gevent.joinall(stage.greenlets, timeout=10)
    assert all(greenlet.dead for greenlet in stage.greenlets)


def test_sleeping_connection_is_answered(client, stage):
    wait_for_sleep(stage)

    client.send(GET)

    assert client.receive(b"192.0.2.11234").startswith(b"HTTP/1.1 200 OK\r\n")
    assert 2 == stage.row["requests"]
    assert 1 == len(stage.service.connections)


def test_head_that_wakes_a_connection_may_come_in_pieces(client, stage):
    wait_for_sleep(stage)

    for byte in LAST:
        client.send(bytes([byte]))
        gevent.sleep(0)

    assert client.receive().startswith(b"HTTP/1.1 200 OK\r\n")


def test_client_of_a_sleeping_connection_may_leave(client, stage):
    wait_for_sleep(stage)

    client.socket.close()
    with gevent.Timeout(10):
        while len(stage.service.connections):
            gevent.sleep(0.001)

    assert 0 == stage.row["connections"]


def test_sleeping_connection_ends_when_its_time_is_up(stage):
    stage.make_service(hello, keepalive=0.2)
    stage.service.quiet_time = QUIET
    client = stage.serve_beside()
    client.send(GET)
    client.receive(b"192.0.2.11234")
    wait_for_sleep(stage)

    assert client.left()
    assert 1 == stage.row["deadlines_idle"]
    client.socket.close()


def test_sleeping_connection_makes_room_for_another(client, stage):
    wait_for_sleep(stage)

    assert stage.service.connections.make_room()

    assert client.left()
    assert 0 == len(stage.service.connections)


def test_sleeping_connection_of_a_draining_worker_is_answered_once_more(client, stage):
    wait_for_sleep(stage)
    stage.service.draining = True
    stage.service.connections.drain()

    client.send(GET)

    assert b"Connection: close" in client.receive()


def test_sleeping_connection_of_a_draining_worker_ends(client, stage):
    wait_for_sleep(stage)
    stage.service.draining = True

    stage.service.connections.drain()

    assert client.left()


def test_nothing_is_lost_at_the_edge_of_sleep(stage):
    """Requests that come just when connections fall asleep, over and over."""
    stage.make_service(hello)
    stage.service.quiet_time = 0.0
    clients = [stage.serve_beside() for _ in range(20)]

    def ask_often(client, pause):
        for number in range(30):
            client.send(GET)
            assert client.receive(b"192.0.2.11234").startswith(b"HTTP/1.1 200 OK\r\n")
            gevent.sleep(pause * number / 30)
        client.socket.close()

    askers = [gevent.spawn(ask_often, client, 0.001 * index) for index, client in enumerate(clients)]
    gevent.joinall(askers, timeout=60, raise_error=True)

    assert 600 == stage.row["requests"]


def test_request_of_an_evicted_sleeper_is_answered(client, stage):
    """It has come before the eviction, and nobody had said that the connection would close."""
    wait_for_sleep(stage)
    client.send(GET)

    stage.service.connections.make_room()

    assert b"Connection: close" in client.receive()
