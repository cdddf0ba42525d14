"""A connection that the application takes over."""

import errno
import select
import socket
from contextlib import closing, suppress

import gevent
import pytest
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.select import select as gevent_select

from greenserve.errors import TunnelClosed
from greenserve.status import Scoreboard
from greenserve.worker.readiness import LoopReadiness
from greenserve.worker.transport import CONVERSATION, Patience, Transport
from greenserve.worker.wires import wires

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
GOING_AWAY = b"\x88\x02\x03\xe9"
NORMAL = b"\x88\x02\x03\xe8"
INTERNAL_ERROR = b"\x88\x02\x03\xf3"


def takeover(use):
    """Return an application that answers the handshake, lets *use* have the socket, and says that it has done so."""

    def application(environ, start_response):
        lent = environ["gunicorn.socket"]
        lent.sendall(ANSWER)
        use(lent)
        raise StopIteration

    return application


def greet(lent):
    lent.sendall(b"\x81\x05hello")


def open_tunnel(serve, use, **settings):
    client = serve(takeover(use), **settings)
    client.send(HANDSHAKE)
    assert ANSWER == client.socket.recv(len(ANSWER))
    return client


# Taking over.


def test_what_the_application_writes_is_all_that_is_sent(serve):
    client = serve(takeover(greet))

    client.send(HANDSHAKE)

    assert ANSWER + b"\x81\x05hello" + NORMAL == client.receive()


@pytest.mark.parametrize("way", ["return", "generator", "answer"])
def test_however_a_takeover_ends_nothing_is_added(serve, caplog, way):
    """A generator cannot raise StopIteration: PEP 479 makes a RuntimeError of it."""

    def generate(lent):
        lent.sendall(ANSWER)
        yield b"never sent"
        raise StopIteration

    def application(environ, start_response):
        lent = environ["gunicorn.socket"]
        if way == "generator":
            return generate(lent)
        lent.sendall(ANSWER)
        if way == "answer":
            start_response("200 OK", [("Content-Length", "5")])
        return [b"never"]

    client = serve(application)

    client.send(HANDSHAKE)

    assert ANSWER + NORMAL == client.receive()
    assert [] == caplog.records


def test_generator_that_raises_stop_iteration_has_taken_over(serve, caplog):
    def application(environ, start_response):
        environ["gunicorn.socket"].sendall(ANSWER)
        raise StopIteration
        yield

    client = serve(application)

    client.send(HANDSHAKE)

    assert ANSWER + NORMAL == client.receive()
    assert [] == caplog.records


def test_failure_after_a_takeover_is_logged_and_closes_with_1011(serve, caplog):
    def fail(lent):
        raise ValueError("broken")

    client = open_tunnel(serve, fail)

    assert INTERNAL_ERROR == client.receive()
    assert "failed in the application" in caplog.text


def test_socket_that_is_not_used_leaves_an_ordinary_request(stage, serve):
    """RFC 9110 section 7.8: an upgrade that is not honoured is ignored."""

    def application(environ, start_response):
        environ["gunicorn.socket"].getpeername()
        start_response("200 OK", [])
        return [b"plain"]

    client = serve(application)

    client.send(HANDSHAKE)
    first = client.receive(b"plain")
    client.send(HANDSHAKE)
    second = client.receive(b"plain")

    assert first.startswith(b"HTTP/1.1 200 OK")
    assert second.startswith(b"HTTP/1.1 200 OK")
    assert (2, 0) == (stage.row["requests"], stage.row["websockets_opened"])


def test_stop_iteration_without_a_takeover_is_a_failure(serve, caplog):
    def application(environ, start_response):
        raise StopIteration

    client = serve(application)

    client.send(HANDSHAKE)

    assert client.receive(b"Error\n").startswith(b"HTTP/1.1 500 ")
    assert "failed in the application" in caplog.text


def test_requests_that_do_not_ask_get_no_socket(serve):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [str("gunicorn.socket" in environ).encode()]

    client = serve(application)

    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")

    assert client.receive(b"False").startswith(b"HTTP/1.1 200 OK")


def test_socket_cannot_be_taken_once_the_answer_has_begun(serve):
    refusals = []

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "10")])
        yield b"first"
        try:
            environ["gunicorn.socket"].sendall(b"never")
        except TunnelClosed as refusal:
            refusals.append(refusal)
        yield b"final"

    client = serve(application)

    client.send(HANDSHAKE)

    assert client.receive(b"firstfinal").endswith(b"\r\n\r\nfirstfinal")
    assert 1 == len(refusals)


def test_socket_cannot_be_used_after_its_request(serve):
    kept = []

    def application(environ, start_response):
        kept.append(environ["gunicorn.socket"])
        start_response("200 OK", [])
        return [b"plain"]

    client = serve(application)
    client.send(HANDSHAKE)
    client.receive(b"plain")

    with pytest.raises(BrokenPipeError):
        kept[0].sendall(b"smuggled")
    assert -1 == kept[0].fileno()


@pytest.mark.security("data after CONNECT/Upgrade is not a request")
def test_bytes_behind_the_handshake_belong_to_the_application(serve):
    received = []
    client = serve(takeover(lambda lent: received.append(lent.recv(100))))

    client.send(HANDSHAKE + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")

    assert ANSWER + NORMAL == client.receive()
    assert [b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"] == received


@pytest.mark.security("data after CONNECT/Upgrade is not a request")
def test_bytes_behind_a_handshake_that_is_ignored_are_not_a_request(serve):
    asked = []

    def application(environ, start_response):
        asked.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b"plain"]

    client = serve(application)

    client.send(HANDSHAKE + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = client.receive()

    assert ["/chat"] == asked
    assert b"Connection: close\r\n" in answer


@pytest.mark.parametrize("field", [b"Sec-WebSocket-Protocol: ch\xe4t\r\n", b"Sec-WebSocket-Version: 8\r\n"])
def test_handshake_that_cannot_be_met_never_reaches_the_application(serve, field):
    def application(environ, start_response):
        raise AssertionError("called")

    client = serve(application)

    client.send(HANDSHAKE.replace(b"Sec-WebSocket-Version: 13\r\n", field))
    answer = client.receive()

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 426 "))


def test_version_that_is_refused_tells_the_right_one(serve):
    """RFC 6455 section 4.4."""
    client = serve(takeover(greet))

    client.send(HANDSHAKE.replace(b"13", b"12"))
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer
    assert b"\r\nUpgrade: websocket\r\n" in answer


# The socket.


def test_received_bytes_come_in_the_sizes_asked_for(serve):
    received = []

    def use(lent):
        for size in (2, 3, 100):
            received.append(lent.recv(size))
        received.append(lent.recv(100))

    client = open_tunnel(serve, use)

    client.send(b"abcdefgh")
    client.socket.shutdown(socket.SHUT_WR)
    client.receive()

    assert [b"ab", b"cde", b"fgh", b""] == received


def test_one_greenlet_sends_while_another_receives(serve):
    """More than the kernel holds, both ways at once: neither side may wait for the other."""
    size = 4 << 20
    received = []

    def use(lent):
        writer = gevent.spawn(lent.sendall, bytes(size))
        left = size
        while left:
            left -= len(lent.recv(left))
        received.append(size)
        writer.get()

    client = open_tunnel(serve, use)
    sender = gevent.spawn(client.send, bytes(size))

    answer = client.receive()
    sender.get()

    assert size <= len(answer)
    assert [size] == received


def test_messages_of_several_greenlets_do_not_mix(serve):
    size = 1 << 20

    def use(lent):
        gevent.joinall([gevent.spawn(lent.sendall, letter * size) for letter in (b"a", b"b", b"c")])

    client = open_tunnel(serve, use)

    answer = client.receive()

    assert [(b"a" * size), (b"b" * size), (b"c" * size)] == [answer[start : start + size] for start in range(0, 3 * size, size)]


def test_send_takes_everything(serve):
    """Libraries ignore what send() returns."""
    counts = []
    client = open_tunnel(serve, lambda lent: counts.append(lent.send(bytearray(3 << 20))))

    answer = client.receive()

    assert [3 << 20] == counts
    assert 3 << 20 <= len(answer)


def test_timeouts_are_those_of_a_socket(serve):
    raised = []

    def use(lent):
        for timeout in (0.0, 0.01):
            lent.settimeout(timeout)
            try:
                lent.recv(1)
            except OSError as error:
                raised.append(type(error))
        lent.settimeout(None)
        raised.append(lent.recv(1))

    client = open_tunnel(serve, use)
    gevent.sleep(0.05)

    client.send(b"x")
    client.receive()

    assert [BlockingIOError, TimeoutError, b"x"] == raised


def test_descriptor_can_be_waited_for(serve):
    """simple-websocket waits so when it sends pings."""
    found = []

    def use(lent):
        found.append(bool(gevent_select([lent], [], [], 0)[0]))
        gevent_select([lent], [], [], 10)
        found.append(lent.recv(2))
        found.append(bool(select.select([lent.fileno()], [], [], 0)[0]))

    client = open_tunnel(serve, use)

    gevent.sleep(0.01)
    client.send(b"abcd")
    client.receive()

    assert [False, b"ab", True] == found


def test_descriptor_knows_of_bytes_that_came_with_the_handshake(serve):
    found = []

    def use(lent):
        for _ in range(3):
            found.append(bool(gevent_select([lent], [], [], 0)[0]))
            lent.settimeout(0)
            with suppress(BlockingIOError):
                lent.recv(2)

    client = serve(takeover(use))

    client.send(HANDSHAKE + b"abc")
    client.receive()

    assert [True, True, False] == found


def test_file_reads_and_writes_the_same_bytes(serve):
    def use(lent):
        file = lent.makefile("rwb")
        file.write(file.readline())
        file.flush()
        file.close()
        with lent.makefile("w", encoding="utf-8") as text:
            text.write("é")

    client = open_tunnel(serve, use)

    client.send(b"\x00\x01x\nrest")

    assert client.receive().startswith(b"\x00\x01x\n\xc3\xa9")


def test_close_ends_sending_and_may_be_repeated(serve):
    done = Event()

    def use(lent):
        lent.close()
        lent.close()
        with pytest.raises(BrokenPipeError):
            lent.sendall(b"late")
        done.wait()

    client = open_tunnel(serve, use)

    assert client.left()
    done.set()


def test_shutdown_of_sending_still_receives(stage, serve):
    received = []

    def use(lent):
        lent.shutdown(socket.SHUT_WR)
        received.append(lent.recv(10))

    client = open_tunnel(serve, use)

    assert client.left()
    client.send(b"last")
    client.socket.close()
    gevent.joinall(stage.greenlets, timeout=10)
    assert [b"last"] == received


def test_close_ends_a_wait_of_another_greenlet(serve):
    found = []

    def use(lent):
        reader = gevent.spawn(lambda: found.append(lent.recv(1)))
        gevent.sleep(0)
        lent.close()
        reader.join()

    client = open_tunnel(serve, use)

    assert client.left()
    client.receive()
    assert [b""] == found


def test_what_a_tunnel_cannot_do_is_refused(serve):
    refusals = []

    def use(lent):
        for attempt in (lambda: lent.detach(), lambda: lent.recv(1, socket.MSG_PEEK)):
            try:
                attempt()
            except (AttributeError, OSError) as refusal:
                refusals.append(getattr(refusal, "errno", None))

    client = open_tunnel(serve, use)
    client.receive()

    assert [None, errno.EOPNOTSUPP] == refusals


def test_reader_left_behind_finds_the_end(serve):
    """simple-websocket receives in a greenlet of its own, which is still waiting when the application returns."""
    left_behind = []

    def use(lent):
        left_behind.append(gevent.spawn(lent.recv, 1))
        gevent.sleep(0)

    client = open_tunnel(serve, use)
    client.receive()

    assert b"" == left_behind[0].get(timeout=10)


def test_client_that_leaves_ends_receiving(stage, serve):
    received = []
    client = open_tunnel(serve, lambda lent: received.append(lent.recv(1)))

    client.socket.close()
    gevent.joinall(stage.greenlets, timeout=10)

    assert [b""] == received


def test_connection_is_made_ready_for_a_conversation():
    """Nagle's algorithm costs 40 ms a message, and a client that lost its network says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
    transport = Transport(wires.wrap(accepted), LoopReadiness(), Patience(1.0, 0, Scoreboard(1).row(0)))
    with closing(transport):
        transport.share()

        found = [transport.socket.getsockopt(level, option) for level, option, _ in CONVERSATION]

    assert [value for _, _, value in CONVERSATION] == found


# Drains and counts.


def test_drain_says_1001_and_then_waits_for_the_client(stage, serve):
    received = []
    client = open_tunnel(serve, lambda lent: received.append(lent.recv(100)))
    stage.service.draining = True

    stage.service.connections.drain()
    goodbye = client.receive(GOING_AWAY)
    client.send(b"\x88\x82maskxx")
    rest = client.receive()

    assert (GOING_AWAY, b"") == (goodbye, rest)
    assert [b"\x88\x82maskxx"] == received


def test_drain_does_not_cut_a_frame_in_two(stage, serve):
    half_sent, go_on = Event(), Event()

    def use(lent):
        lent.sendall(b"\x81\x06abc")
        half_sent.set()
        go_on.wait()
        lent.sendall(b"def")
        lent.recv(1)

    client = open_tunnel(serve, use)
    half_sent.wait()

    stage.service.connections.drain()
    gevent.sleep(0)
    go_on.set()
    answer = client.receive(GOING_AWAY)

    assert b"\x81\x06abcdef" + GOING_AWAY == answer


def test_drain_leaves_a_goodbye_of_the_application_alone(stage, serve):
    def use(lent):
        lent.sendall(NORMAL)
        lent.recv(1)

    client = open_tunnel(serve, use)
    client.receive(NORMAL)

    stage.service.connections.drain()
    client.socket.shutdown(socket.SHUT_WR)

    assert b"" == client.receive()


def test_client_that_does_not_answer_a_goodbye_is_not_waited_for(stage, serve, monkeypatch):
    monkeypatch.setattr("greenserve.worker.tunnel.GOODBYE_LINGER", 0.01)
    received = []
    client = open_tunnel(serve, lambda lent: received.append(lent.recv(1)))

    stage.service.connections.drain()

    assert GOING_AWAY == client.receive()
    assert [b""] == received


def test_nothing_can_be_sent_behind_a_goodbye(stage, serve):
    raised = []

    def use(lent):
        lent.recv(1)
        try:
            lent.sendall(b"\x81\x00")
        except BrokenPipeError as error:
            raised.append(error)

    client = open_tunnel(serve, use)

    stage.service.connections.drain()
    client.receive(GOING_AWAY)
    client.send(b"x")

    assert b"" == client.receive()
    assert 1 == len(raised)


def test_tunnel_past_its_grace_ends_for_both_sides(stage, serve):
    go_on, received = Event(), []

    def use(lent):
        go_on.wait()
        received.append(lent.recv(1))

    client = open_tunnel(serve, use)
    stage.service.connections.drain()

    stage.service.connections.close_tunnels()
    answer = client.receive()
    go_on.set()
    gevent.joinall(stage.greenlets, timeout=10)

    assert GOING_AWAY == answer
    assert [b""] == received


def test_requests_are_left_alone_when_tunnels_are_closed(stage, serve):
    go_on = Event()

    def application(environ, start_response):
        go_on.wait()
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    client = serve(application)
    client.send(HANDSHAKE)
    gevent.sleep(0.01)

    stage.service.connections.close_tunnels()
    go_on.set()

    assert client.receive(b"ok").startswith(b"HTTP/1.1 200 OK")


def test_takeover_in_a_draining_worker_ends_at_once(stage, serve):
    go_on = Event()

    def application(environ, start_response):
        go_on.wait()
        lent = environ["gunicorn.socket"]
        lent.sendall(ANSWER)
        lent.recv(1)

    client = serve(application)
    client.send(HANDSHAKE)
    gevent.sleep(0.01)

    stage.service.draining = True
    stage.service.connections.drain()
    go_on.set()

    assert ANSWER + GOING_AWAY == client.receive(GOING_AWAY)
    client.socket.shutdown(socket.SHUT_WR)


def test_websockets_are_counted_apart_from_requests(stage, serve):
    go_on = Semaphore(0)
    client = open_tunnel(serve, lambda lent: go_on.acquire())
    columns = ("in_flight", "requests", "websockets", "websockets_opened")

    during = [stage.row[column] for column in columns]
    go_on.release()
    client.receive()

    assert [0, 0, 1, 1] == during
    assert [0, 0, 0, 1] == [stage.row[column] for column in columns]
    assert [] == stage.counted


def test_websocket_takes_no_place_of_a_request(stage, serve):
    go_on = Event()
    client = open_tunnel(serve, lambda lent: go_on.wait(), requests_in_flight=1, request_queue=0)
    other = stage.serve_beside()

    other.send(HANDSHAKE)

    assert ANSWER == other.socket.recv(len(ANSWER))
    go_on.set()
    client.receive()
    other.receive()
    other.socket.close()


# wsgi.websocket.


def test_websocket_of_gevent_websocket_is_accepted_on_first_use(serve):
    def application(environ, start_response):
        websocket = environ["wsgi.websocket"]
        websocket.send(websocket.receive() + websocket.path)
        return []

    client = serve(application)

    client.send(HANDSHAKE + b"\x81\x82\x00\x00\x00\x00hi")
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert answer.endswith(b"\r\n\r\n\x81\x07hi/chat" + NORMAL)


def test_websocket_that_is_not_used_sends_nothing(serve):
    """A WebSocket closes itself when it is collected, which must not be written into the answer."""

    def application(environ, start_response):
        environ.pop("wsgi.websocket")
        environ.clear()
        start_response("200 OK", [])
        return [b"plain"]

    client = serve(application)

    client.send(HANDSHAKE)

    assert client.receive(b"plain").startswith(b"HTTP/1.1 200 OK")
