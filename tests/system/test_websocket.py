"""WebSockets by the libraries people use for them, unmodified, on both sides."""

import signal
import socket
import struct
import time
from contextlib import ExitStack

import pytest
import socketio
import websocket
from websocket import ABNF, create_connection

from tests.support.client import RawClient, make_request
from tests.support.server import APPS, RunningServer

GOING_AWAY = 1001

#: An application that never looks at its client again.
CLINGING = """
import threading
from simple_websocket import Server


def application(environ, start_response):
    Server.accept(environ)
    threading.Event().wait()
"""

#: The same, but its requests wait at the test's gate before they become WebSockets.
LATE = CLINGING.replace("    Server.accept", "    wait_at_gate()\n    Server.accept").replace(
    "import threading", "import threading\nfrom gated import wait_at_gate"
)

HANDSHAKE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)

#: How Socket.IO may be served: its mode, and whether gevent-websocket is there.
MODES = {
    "gevent": {"ASYNC_MODE": "gevent"},
    "gevent-websocket": {"ASYNC_MODE": "gevent", "GEVENT_WEBSOCKET": "1"},
    "threading": {"ASYNC_MODE": "threading"},
}


@pytest.fixture(scope="module")
def socks():
    with RunningServer("socks") as server:
        yield server


@pytest.fixture
def connect():
    """Open WebSockets that are closed with the test."""
    with ExitStack() as opened:

        def open_one(server, path="/echo", **options):
            client = create_connection(web_socket_url(server, "sslopt" in options) + path, timeout=30, **options)
            opened.callback(client.shutdown)
            return client

        yield open_one


@pytest.fixture
def socketio_client():
    """Connect clients of Socket.IO that leave with the test."""
    with ExitStack() as opened:

        def open_one(server, **options):
            client = socketio.SimpleClient()
            opened.callback(client.disconnect)
            client.connect(server.url, wait_timeout=30, **options)
            return client

        yield open_one


def web_socket_url(server, secure=False):
    return f"{'wss' if secure else 'ws'}://127.0.0.1:{server.address[1]}"


def receive_close(client):
    """Return the code of the close frame that comes next."""
    opcode, content = client.recv_data()
    assert ABNF.OPCODE_CLOSE == opcode
    return struct.unpack("!H", content[:2])[0]


# Flask-Sock, simple-websocket.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4096, 65536, 1 << 20])
def test_messages_come_back_whole(socks, connect, size):
    client = connect(socks)

    client.send_binary(b"x" * size)
    client.send("ünï" * (size // 8))

    assert (ABNF.OPCODE_BINARY, b"x" * size) == client.recv_data()
    assert "ünï" * (size // 8) == client.recv()


def test_many_messages_in_a_row_come_back_in_order(socks, connect):
    client = connect(socks)

    for number in range(500):
        client.send(str(number))

    assert [str(number) for number in range(500)] == [client.recv() for _ in range(500)]


def test_fragments_make_one_message_with_a_ping_between_them(socks, connect):
    client = connect(socks)

    client.send_frame(ABNF.create_frame("one ", ABNF.OPCODE_TEXT, 0))
    client.ping("still there?")
    client.send_frame(ABNF.create_frame("message", ABNF.OPCODE_CONT, 1))

    assert (ABNF.OPCODE_PONG, b"still there?") == client.recv_data(control_frame=True)
    assert "one message" == client.recv()


def test_server_sends_pings_that_a_library_waits_for(start_server, connect):
    """With ping_interval simple-websocket waits for the descriptor, not in recv()."""
    server = start_server("socks", env={"PING": "0.1"})
    client = connect(server)

    client.send_binary(b"y" * 100_000)
    echoed = client.recv_data()
    ping = client.recv_data(control_frame=True)

    assert (ABNF.OPCODE_BINARY, b"y" * 100_000) == echoed
    assert (ABNF.OPCODE_PING, b"") == ping


@pytest.mark.parametrize("options", [{}, {"PING": "60"}], ids=["receiving", "waiting"])
def test_everything_works_over_tls(start_server, authority, connect, options):
    """A library that waits for the descriptor must hear of bytes that were decrypted together with those it has read."""
    server = start_server("socks", *authority.issue().flags, env=options)
    client = connect(server, sslopt={"ca_certs": authority.path})

    client.send_binary(b"z" * (1 << 20))
    for number in range(100):
        client.send(str(number))
    whole = client.recv_data()
    rest = [client.recv() for _ in range(100)]
    server.signal(signal.SIGTERM)

    assert (ABNF.OPCODE_BINARY, b"z" * (1 << 20)) == whole
    assert [str(number) for number in range(100)] == rest
    assert GOING_AWAY == receive_close(client)


@pytest.mark.security("close codes")
@pytest.mark.parametrize("code", [1000, 1011, 3000, 4321])
def test_close_code_of_the_application_reaches_the_client(socks, connect, code):
    client = connect(socks, f"/close/{code}")

    client.send("please")

    assert code == receive_close(client)


@pytest.mark.security("close codes")
def test_close_code_of_the_client_reaches_the_application(start_server, connect):
    server = start_server("socks")
    client = connect(server, "/agent", header=["User-Agent: polite"])

    client.send_close(4001, b"bye")

    assert 4001 == receive_close(client)
    server.wait_for_log(r"left with 4001: polite")


def test_crash_of_the_application_closes_with_1011(start_server, connect):
    server = start_server("socks")
    client = connect(server, "/crash")

    client.send("please")

    assert 1011 == receive_close(client)
    server.wait_for_log(r"crashed on purpose")


@pytest.mark.parametrize("leave", ["reset", "close"])
def test_client_that_vanishes_is_noticed(start_server, connect, leave):
    server = start_server("socks")
    client = connect(server, "/agent", header=["User-Agent: rude"])

    if leave == "reset":
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()

    server.wait_for_log(r"left with .*: rude")
    assert "Traceback" not in server.log


def test_two_hundred_sockets_at_once(socks, connect):
    clients = [connect(socks) for _ in range(200)]

    for number, client in enumerate(clients):
        client.send(str(number))

    assert [str(number) for number in range(200)] == [client.recv() for client in clients]


def test_subprotocol_that_is_not_ascii_is_refused_without_harm(socks, connect):
    handshake = (
        b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ch\xe4t\r\n\r\n"
    )

    with RawClient(socks.address) as raw:
        raw.send(handshake)
        refusal = raw.receive_response()

    assert 400 == refusal.status
    client = connect(socks)
    client.send("unharmed")
    assert "unharmed" == client.recv()


def test_frames_sent_with_the_handshake_are_read(socks):
    frame = ABNF.create_frame("early", ABNF.OPCODE_TEXT).format()
    received = b""
    handshake = (
        b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    with RawClient(socks.address) as raw:
        raw.send(handshake + frame)
        while not received.endswith(b"early"):
            received += raw.receive_some()

    assert received.startswith(b"HTTP/1.1 101 ")
    assert received.endswith(b"\r\n\r\n\x81\x05early")


def test_application_without_websockets_serves_such_a_request_as_any_other(start_server):
    """RFC 9110 section 7.8."""
    server = start_server("hello")

    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        create_connection(web_socket_url(server))

    assert 200 == refusal.value.status_code


# The end of the server, and of a generation.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["stop", "reload"])
def test_drain_closes_with_1001(start_server, connect, number):
    server = start_server("socks")
    clients = [connect(server) for _ in range(20)]
    for client in clients:
        client.send("x")
        client.recv()

    server.signal(number)

    assert [GOING_AWAY] * 20 == [receive_close(client) for client in clients]
    if number == signal.SIGHUP:
        server.wait_for_log(r"has left")
        renewed = connect(server)
        renewed.send("new")
        assert "new" == renewed.recv()


def test_client_that_ignores_the_goodbye_does_not_hold_up_the_end(start_server, connect):
    server = start_server("socks", "--graceful-timeout", "25")
    client = connect(server)
    client.send("x")
    client.recv()

    code = server.stop()

    assert 0 == code
    assert GOING_AWAY == receive_close(client)


def test_handler_that_clings_to_its_socket_has_the_tunnel_grace(start_server, connect, tmp_path):
    (tmp_path / "clinging.py").write_text(CLINGING)
    server = start_server("clinging", "--tunnel-grace", "0.5", "--graceful-timeout", "25", cwd=tmp_path)
    client = connect(server)

    began = time.monotonic()
    code = server.stop()

    assert 0 == code
    assert 0.5 <= time.monotonic() - began < 10
    assert GOING_AWAY == receive_close(client)
    server.wait_for_log(r"GET /echo has taken \d\.\d s, and is cut off")


def test_request_that_becomes_a_websocket_past_the_tunnel_grace_holds_up_nobody(start_server, gate, tmp_path):
    (tmp_path / "late.py").write_text(LATE)
    options = ("--tunnel-grace", "0", "--graceful-timeout", "25", "--pythonpath", str(APPS))
    server = start_server("late", *options, cwd=tmp_path, env=gate.environ)

    with RawClient(server.address) as client, RawClient(server.address) as idle:
        client.send(make_request("/", *HANDSHAKE))
        visitor = gate.admit()
        server.signal(signal.SIGTERM)
        # Let go a second after the worker has begun to leave.
        assert b"" == idle.receive_until_close()
        began = time.monotonic()
        visitor.release()
        answer = client.receive_until_close()

    assert 0 == server.wait()
    assert time.monotonic() - began < 10
    assert answer.startswith(b"HTTP/1.1 101")
    assert answer.endswith(struct.pack("!BBH", 0x80 | ABNF.OPCODE_CLOSE, 2, GOING_AWAY))


def test_websocket_leaves_one_access_line_with_what_was_sent(start_server, connect):
    server = start_server("socks", "--access-logfile", "-")
    client = connect(server)

    client.send("hello")
    client.recv()
    client.close()

    line = server.wait_for_log(r'"GET /echo HTTP/1.1" 101 (\d+)')
    assert int(line[1]) > 100


# Socket.IO.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]], ids="-".join)
def test_rooms_of_flask_socketio(start_server, socketio_client, mode, transports):
    server = start_server("rooms", env=MODES[mode])
    first, second, other = (socketio_client(server, transports=transports) for _ in range(3))

    joined = [first.call("join", "blue"), second.call("join", "blue"), other.call("join", "red")]
    other.emit("say", ("blue", "hello"))

    assert ["joined"] * 3 == joined
    assert [["said", "hello"]] * 2 == [first.receive(timeout=30), second.receive(timeout=30)]
    assert transports[-1] == first.transport
    assert "Traceback" not in server.log


@pytest.mark.parametrize("mode", MODES)
def test_events_of_python_socketio(start_server, socketio_client, mode):
    server = start_server("events", env=MODES[mode])
    client = socketio_client(server)

    answers = [client.call("echo", data) for data in ("text", b"\x00" * 500_000, {"a": [1, None]})]

    assert ["text", b"\x00" * 500_000, {"a": [1, None]}] == answers
    assert "websocket" == client.transport


@pytest.mark.parametrize("mode", MODES)
def test_drain_disconnects_socket_io(start_server, socketio_client, mode):
    server = start_server("rooms", env=MODES[mode])
    client = socketio_client(server, transports=["websocket"])
    client.call("echo", "x")

    code = server.stop()

    assert 0 == code
    assert "Traceback" not in server.log
