"""What one connection makes of what its peer says of others."""

import logging
import struct

import pytest

from greenserve.protocol.proxy import SIGNATURE

LAST = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%b\r\n"
NEXT = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
V1 = b"PROXY TCP4 198.51.100.7 203.0.113.5 56324 80\r\n"
V2 = SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 12) + b"\xc6\x33\x64\x07\xcb\0\x71\5\xdc\x04\0P"
LOCAL = SIGNATURE + struct.pack("!BBH", 0x20, 0, 0)

#: The address that the connections of the stage come from.
PEER = ("192.0.2.1",)

TOLD = ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "PROXY_PROTOCOL", "PROXY_ADDR", "PROXY_PORT")


def tell(environ, start_response):
    start_response("200 OK", [])
    fields = {key for key in environ if key.startswith("HTTP_X")}
    return [" ".join(f"{key}={environ[key]}" for key in (*TOLD, *sorted(fields)) if key in environ).encode()]


def told(answer):
    """Return what `tell` told in the last of *answer*'s responses."""
    return dict(pair.split("=", 1) for pair in answer.rpartition(b"\r\n\r\n")[2].decode().split())


# Fields.


def test_trusted_proxy_is_believed(serve):
    client = serve(tell, forwarded_allow_ips=PEER)

    client.send(LAST % (b"/", b"X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"))

    answer = told(client.receive())
    assert ("198.51.100.7", "https") == (answer["REMOTE_ADDR"], answer["wsgi.url_scheme"])
    assert "198.51.100.7" == answer["HTTP_X_FORWARDED_FOR"]


def test_claims_are_of_one_request_and_not_of_its_connection(serve):
    client = serve(tell, forwarded_allow_ips=PEER)

    client.send(NEXT.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n\r\n"))
    client.send(LAST % (b"/", b""))

    answer = told(client.receive())
    assert ("192.0.2.1", "1234", "http") == (answer["REMOTE_ADDR"], answer["REMOTE_PORT"], answer["wsgi.url_scheme"])


def test_stranger_is_not_believed_and_that_is_said_once(serve, stage, caplog):
    client = serve(tell)
    caplog.set_level(logging.WARNING, "greenserve.error")

    client.send(NEXT.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"))
    client.send(LAST % (b"/", b"X-Forwarded-For: 198.51.100.7\r\n"))

    assert {"REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO"} == told(client.receive()).keys()
    assert 2 == stage.row["dropped_fields"]
    assert [
        "X-Forwarded-For was removed from a request of 192.0.2.1, which is not among forwarded_allow_ips; this is said once"
    ] == [record.getMessage() for record in caplog.records]


def test_contradiction_ends_the_connection(serve, stage):
    client = serve(tell, forwarded_allow_ips=PEER)

    client.send(LAST % (b"/", b"X-Forwarded-Proto: https\r\nForwarded: proto=http\r\n") + NEXT)
    client.socket.shutdown(1)

    assert client.receive().startswith(b"HTTP/1.1 400 ")
    assert (1, 0) == (stage.row["refused_400"], stage.row["requests"])


def test_middleware_that_believes_the_same_proxy_comes_to_the_same(serve):
    """Applications that came with it need not lose it."""
    proxy_fix = pytest.importorskip("werkzeug.middleware.proxy_fix")
    middleware = proxy_fix.ProxyFix(tell, x_for=1, x_proto=1, x_port=1, x_prefix=1)
    fields = b"X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /shop\r\n"
    answers = []

    for application in (tell, middleware):
        client = serve(application, forwarded_allow_ips=PEER)
        client.send(LAST % (b"/cart", fields))
        answers.append(told(client.receive()))

    assert answers[0] == answers[1]
    assert ("198.51.100.7", "/shop", "/cart") == tuple(answers[0][key] for key in ("REMOTE_ADDR", "SCRIPT_NAME", "PATH_INFO"))


@pytest.mark.parametrize("forwarder_headers", [(), ("X_USER",)])
def test_script_name_that_no_proxy_may_send_mounts_nothing(serve, forwarder_headers):
    """A client's Script-Name has the same key, and would lead past what the proxy allows of paths."""
    client = serve(tell, forwarded_allow_ips=PEER, forwarder_headers=forwarder_headers)

    client.send(LAST % (b"/public/admin", b"Script-Name: /public\r\n"))

    assert "/public/admin" == told(client.receive())["PATH_INFO"]


@pytest.mark.parametrize("settings", [{"root_path": "/shop"}, {"raw_env": ("SCRIPT_NAME=/shop",)}])
@pytest.mark.parametrize("trusted", [(), PEER])
def test_application_is_mounted_below_the_root(serve, settings, trusted):
    client = serve(tell, forwarded_allow_ips=trusted, **settings)

    client.send(LAST % (b"/shop/cart", b""))

    answer = told(client.receive())
    assert ("/shop", "/cart") == (answer["SCRIPT_NAME"], answer["PATH_INFO"])


def test_root_may_be_bytes_that_are_no_utf_8(serve):
    client = serve(tell, root_path="/\udcff")

    client.send(LAST % (b"/%ff/cart", b""))

    assert "/cart" == told(client.receive())["PATH_INFO"]


def test_path_outside_the_root_is_answered_404(serve, stage):
    client = serve(tell, root_path="/shop")

    client.send(LAST % (b"/cart", b""))
    client.socket.shutdown(1)

    assert client.receive().startswith(b"HTTP/1.1 404 ")
    assert 1 == stage.row["refused_404"]


# The PROXY protocol.


@pytest.mark.security("PROXY header once per connection, bounded (≤107 B v1, ≤4 KiB v2), deadline, only from allowed peers")
@pytest.mark.parametrize(("version", "header"), [("v1", V1), ("v2", V2), ("auto", V1), ("auto", V2)])
def test_header_names_the_client_for_all_requests(serve, stage, version, header):
    client = serve(tell, proxy_protocol=version, proxy_allow_ips=PEER)

    client.send(header + NEXT + LAST % (b"/", b""))

    answer = told(client.receive())
    assert ("198.51.100.7", "56324") == (answer["REMOTE_ADDR"], answer["REMOTE_PORT"])
    assert ("TCP4", "203.0.113.5", "80") == (answer["PROXY_PROTOCOL"], answer["PROXY_ADDR"], answer["PROXY_PORT"])
    assert (1, 2) == (stage.row["proxy_headers"], stage.row["requests"])


@pytest.mark.security("PROXY header once per connection, bounded (≤107 B v1, ≤4 KiB v2), deadline, only from allowed peers")
@pytest.mark.parametrize("header", [V1, V2])
def test_header_that_comes_again_is_no_request(serve, header):
    """CVE-2026-47737: read anew before each request it would be the client's to write."""
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER)

    client.send(header + NEXT)
    client.receive(b"PORT=80")
    client.send(header.replace(b"198.51.100.7", b"127.0.0.1") + NEXT)
    client.socket.shutdown(1)

    assert client.receive().startswith(b"HTTP/1.1 400 ")


def test_header_may_come_byte_by_byte(serve):
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER)

    for byte in V1 + LAST % (b"/", b""):
        client.send(bytes([byte]))

    assert "198.51.100.7" == told(client.receive())["REMOTE_ADDR"]


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n"])
def test_proxy_that_speaks_for_itself_keeps_its_address(serve, header):
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER)

    client.send(header + LAST % (b"/", b""))

    answer = told(client.receive())
    assert ("192.0.2.1", "1234") == (answer["REMOTE_ADDR"], answer["REMOTE_PORT"])
    assert "PROXY_PROTOCOL" not in answer


@pytest.mark.security("PROXY header once per connection, bounded (≤107 B v1, ≤4 KiB v2), deadline, only from allowed peers")
@pytest.mark.parametrize("data", [NEXT, b"PROXY TCP4 nobody\r\n" + NEXT, b"PROXY " + b"x" * 200, V1[:20], V2[:20]])
def test_connection_without_a_header_is_closed_without_an_answer(serve, stage, caplog, data):
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER)
    caplog.set_level(logging.INFO, "greenserve.error")

    client.send(data)
    client.socket.shutdown(1)

    assert b"" == receive_or_reset(client)
    assert 1 == stage.row["proxy_headers_refused"]
    assert 1 == len(caplog.records)
    assert "no PROXY header from 192.0.2.1: " in caplog.text


@pytest.mark.security("PROXY header once per connection, bounded (≤107 B v1, ≤4 KiB v2), deadline, only from allowed peers")
@pytest.mark.parametrize("beginning", [b"", b"PROXY TCP4 19", V2[:14]])
def test_header_has_a_deadline(serve, stage, beginning):
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER, head_timeout=0.05)

    client.send(beginning)

    assert b"" == client.receive()
    assert 1 == stage.row["proxy_headers_refused"]


def test_peer_that_leaves_without_a_word_is_no_news(serve, stage, caplog):
    """Load balancers look in like this to see whether anybody is there."""
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER)
    caplog.set_level(logging.INFO, "greenserve.error")

    client.socket.shutdown(1)

    assert b"" == client.receive()
    assert (0, []) == (stage.row["proxy_headers_refused"], caplog.records)


@pytest.mark.security("PROXY header once per connection, bounded (≤107 B v1, ≤4 KiB v2), deadline, only from allowed peers")
def test_header_of_a_stranger_is_no_header(serve):
    client = serve(tell, proxy_protocol="auto")

    client.send(V1 + LAST % (b"/", b""))
    client.socket.shutdown(1)

    assert client.receive().startswith(b"HTTP/1.1 400 ")


def test_stranger_is_served_without_a_header(serve):
    client = serve(tell, proxy_protocol="auto")

    client.send(LAST % (b"/", b""))

    assert "192.0.2.1" == told(client.receive())["REMOTE_ADDR"]


@pytest.mark.security(
    "forwarded headers only from allowed peers, strip otherwise "
    "(X-Forwarded-*, Forwarded, X-Client-IP, X-Real-IP, `Proxy`→httpoxy)"
)
def test_client_of_a_proxy_is_not_believed_in_its_place(serve):
    """Who passes on connections does not look into them: these fields are the client's own."""
    client = serve(tell, proxy_protocol="auto", proxy_allow_ips=PEER, forwarded_allow_ips=PEER)

    client.send(V1 + LAST % (b"/", b"X-Forwarded-For: 127.0.0.1\r\n"))

    answer = told(client.receive())
    assert "198.51.100.7" == answer["REMOTE_ADDR"]
    assert "HTTP_X_FORWARDED_FOR" not in answer


def test_connections_are_counted_for_the_client_and_not_for_the_proxy(stage, serve):
    settings = {"proxy_protocol": "auto", "proxy_allow_ips": PEER, "connections_per_address": 1}
    first = serve(tell, **settings)
    first.send(V1 + NEXT)
    first.receive(b"PORT=80")
    same, other = stage.serve_beside(), stage.serve_beside()

    same.send(V1 + NEXT)
    other.send(V1.replace(b".7 ", b".8 ") + LAST % (b"/", b""))

    assert b"" == receive_or_reset(same)
    assert "198.51.100.8" == told(other.receive())["REMOTE_ADDR"]
    assert 1 == stage.row["connections_over_address_limit"]
    for client in (same, other):
        client.socket.close()


def receive_or_reset(client):
    """Return what comes before the end; a server that closes on unread bytes resets the connection."""
    try:
        return client.receive()
    except ConnectionResetError:
        return b""
