"""TLS on one connection, from its first byte to its last."""

import _ssl
import ctypes
import os
import ssl
from contextlib import suppress

import gevent
import pytest
from gevent import ssl as gevent_ssl

from greenserve.config import Config
from greenserve.errors import ClientDisconnected
from greenserve.worker.certificates import make_context
from tests.worker.conftest import Client

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"

MUCH = 5_000_000


def hello(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def much(environ, start_response):
    start_response("200 OK", [])
    return [os.urandom(1) * MUCH]


class TlsClient(Client):
    """The other end of a TLS connection; an end without close_notify is an error to it."""

    def __init__(self, sock, trusted):
        context = gevent_ssl.SSLContext(gevent_ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(trusted)
        with gevent.Timeout(10):
            super().__init__(context.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False))


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue("localhost")


@pytest.fixture
def serve_plain_end(stage, serve, pair):
    """Serve with TLS, and give the client's end of the socket without it."""

    def open_one(application=hello, **settings):
        stage.tls = make_context(Config(certfile=pair.certfile, keyfile=pair.keyfile))
        return serve(application, **settings)

    return open_one


@pytest.fixture
def serve_tls(serve_plain_end, authority):
    clients = []

    def open_one(application=hello, **settings):
        clients.append(TlsClient(serve_plain_end(application, **settings).socket, authority.path))
        return clients[-1]

    yield open_one
    for client in clients:
        client.socket.close()


def begin_handshake():
    """Return a client's session in memory, what it wants to send, and where it reads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return session, outgoing, incoming


# Requests and answers.


def test_requests_follow_each_other(serve_tls, stage):
    client = serve_tls()

    client.send(GET)
    first = client.receive(b"hello")
    client.send(GET + LAST)
    rest = client.receive()

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert 2 == rest.count(b"hello")
    assert (1, 0, 0) == tuple(stage.row[name] for name in ("handshakes", "handshakes_resumed", "handshakes_failed"))


def test_handshake_and_request_in_single_bytes_are_the_same(serve_plain_end):
    client = serve_plain_end()
    session, outgoing, incoming = begin_handshake()

    def trickle():
        for byte in outgoing.read():
            client.send(bytes([byte]))
            gevent.sleep(0)

    trickle()
    done = False
    while not done:
        incoming.write(client.socket.recv(65536))
        try:
            session.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            pass
        trickle()
    session.write(LAST)
    trickle()
    incoming.write(client.receive())

    assert session.read(65536).endswith(b"hello")


def test_large_answer_arrives_whole(serve_tls):
    client = serve_tls(much)

    client.send(LAST)
    content = client.receive().partition(b"\r\n\r\n")[2]

    assert MUCH == len(content)


def test_large_content_arrives_whole(serve_tls):
    def echo(environ, start_response):
        content = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [content]

    client = serve_tls(echo)
    content = os.urandom(MUCH)

    client.send(POST % MUCH + content)

    assert client.receive().endswith(b"\r\n\r\n" + content)


@pytest.mark.parametrize("sendfile", [True, False])
def test_file_is_encrypted_whatever_sendfile_is(serve_tls, sendfile, tmp_path):
    """The kernel would send it as it is."""
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(content) - 1000))])
        file = (tmp_path / "file").open("rb")
        file.seek(1000)
        return environ["wsgi.file_wrapper"](file)

    client = serve_tls(application, sendfile=sendfile)

    client.send(LAST)

    assert client.receive().endswith(b"\r\n\r\n" + content[1000:])


def test_environ_says_that_it_is_tls(serve_tls):
    seen = {}

    def application(environ, start_response):
        seen.update((key, value) for key, value in environ.items() if key.startswith("SSL_"))
        return hello(environ, start_response)

    client = serve_tls(application)

    client.send(LAST)
    client.receive()

    assert "TLSv1.3" == seen["SSL_PROTOCOL"]
    assert seen["SSL_CIPHER"].startswith("TLS_")
    assert {"Initial", "NONE"} == {seen["SSL_SESSION_RESUMED"], seen["SSL_CLIENT_VERIFY"]}


# The end.


def test_end_is_told_by_close_notify(serve_tls):
    """The client raises for an end without it."""
    client = serve_tls()

    client.send(LAST)

    assert client.receive().endswith(b"hello")


def test_answer_that_broke_off_ends_without_close_notify(serve_tls):
    """RFC 9112 section 9.8: only so a client knows that an answer delimited by the end is not whole."""

    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"half"
        raise RuntimeError

    client = serve_tls(application)

    client.send(b"GET / HTTP/1.0\r\n\r\n")

    with pytest.raises(gevent_ssl.SSLEOFError):
        client.receive()


def test_client_that_says_goodbye_is_gone(serve_tls, stage):
    client = serve_tls()
    client.send(GET)
    client.receive(b"hello")

    with gevent.Timeout(10):
        client.socket.unwrap()

    assert stage.greenlets[0].get(timeout=10) is None


def test_client_that_leaves_without_a_word_is_gone(serve_tls, stage):
    client = serve_tls()
    client.send(GET)
    client.receive(b"hello")

    client.socket.close()

    assert stage.greenlets[0].get(timeout=10) is None


def test_content_that_breaks_off_is_never_whole(serve_tls, stage):
    failures = []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except ClientDisconnected as error:
            failures.append(error)
        return hello(environ, start_response)

    client = serve_tls(application)

    client.send(POST % 10 + b"half")
    client.socket.close()
    stage.greenlets[0].join(10)

    assert 1 == len(failures)


def test_record_that_was_tampered_with_ends_the_connection(serve_tls):
    served = []

    def application(environ, start_response):
        served.append(environ)
        return hello(environ, start_response)

    client = serve_tls(application)
    raw = Client(gevent.socket.socket(fileno=os.dup(client.socket.fileno())))

    raw.send(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    answer = raw.receive()
    raw.socket.close()

    assert [] == served
    assert b"\x17" == answer[:1]  # an alert, encrypted


def test_key_updates_without_end_end_the_connection(serve_plain_end, stage):
    """OpenSSL would answer each of them for ever."""
    client = serve_plain_end()
    session, outgoing, incoming = begin_handshake()
    client.send(outgoing.read())
    incoming.write(client.socket.recv(65536))
    session.do_handshake()

    with suppress(OSError):
        for _ in range(100):
            update_keys(session, times=100)
            client.send(outgoing.read())

    assert stage.greenlets[0].get(timeout=10) is None


def update_keys(session, times):
    """Ask the server to change its keys, which Python has no way to do."""
    functions = ctypes.CDLL(_ssl.__file__)
    pointer = ctypes.c_void_p.from_address(id(session._sslobj) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p))
    for _ in range(times):
        functions.SSL_key_update(pointer, 1)
        functions.SSL_do_handshake(pointer)


# Handshakes that come to nothing.


@pytest.mark.security("deadline for handshake")
@pytest.mark.parametrize("started", [b"", b"\x16\x03\x01"], ids=["nothing", "a beginning"])
def test_handshake_has_a_deadline(serve_plain_end, stage, started):
    client = serve_plain_end(handshake_timeout=0.05)

    client.send(started)

    assert client.left()
    assert (1, 1) == (stage.row["handshakes_failed"], stage.row["deadlines_handshake"])


@pytest.mark.security("deadline for handshake")
def test_trickled_handshake_wins_no_time(serve_plain_end, stage):
    client = serve_plain_end(handshake_timeout=0.1)

    with suppress(OSError), gevent.Timeout(10):
        for byte in b"\x16\x03\x01\x3f\xff" + b"\x01" * 10_000:
            client.send(bytes([byte]))
            gevent.sleep(0.01)

    assert 1 == stage.row["deadlines_handshake"]


@pytest.mark.parametrize("method", [b"GET", b"OPTIONS", b"PROPFIND", b"PRI"])
def test_plain_http_is_told_to_come_back_with_https(serve_plain_end, stage, method):
    client = serve_plain_end()

    client.send(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = client.receive()
    client.socket.close()
    stage.greenlets[0].join(10)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"https://" in answer
    assert 1 == stage.row["handshakes_failed"]


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 100, b"\xff\xfe", b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", b"\x16" + b"x" * 5000, b"\x15\x03\x01\x00\x02\x02\x28"],
    ids=["zeros", "two bytes", "an empty hello", "a lie", "an alert"],
)
def test_garbage_ends_the_connection_and_is_counted(serve_plain_end, stage, caplog, garbage):
    client = serve_plain_end()

    with caplog.at_level("INFO", "greenserve.error"):
        client.send(garbage)
        client.receive()
        client.socket.close()
        stage.greenlets[0].join(10)

    assert 1 == stage.row["handshakes_failed"]
    assert 1 == len(caplog.records)
    assert caplog.records[0].exc_info is None


def test_probe_that_comes_and_goes_is_no_news(serve_plain_end, stage, caplog):
    client = serve_plain_end()

    with caplog.at_level("INFO", "greenserve.error"):
        client.socket.close()
        stage.greenlets[0].join(10)

    assert [] == caplog.records
    assert 0 == stage.row["handshakes_failed"]


def test_client_that_leaves_in_the_middle_of_a_handshake_is_counted(serve_plain_end, stage):
    client = serve_plain_end()
    _, outgoing, _ = begin_handshake()

    client.send(outgoing.read())
    client.socket.recv(65536)
    client.socket.close()
    stage.greenlets[0].join(10)

    assert 1 == stage.row["handshakes_failed"]


def test_others_are_served_during_a_handshake(serve_plain_end, authority, stage):
    slow = serve_plain_end()
    slow.send(b"\x16\x03\x01")

    client = TlsClient(stage.serve_beside().socket, authority.path)
    client.send(LAST)

    assert client.receive().endswith(b"hello")
    client.socket.close()


# What the worker asks of it.


def test_idle_connection_is_let_go(serve_tls, stage):
    client = serve_tls()
    client.send(GET)
    client.receive(b"hello")
    gevent.sleep(0)

    gevent.get_hub().loop.run_callback(stage.service.connections.make_room)

    assert b"" == client.receive()
    assert 1 == stage.row["connections_evicted"]
