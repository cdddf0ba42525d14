"""Behind the proxies people use, an application is told who asks, and by which scheme."""

import json
import shutil
import subprocess

import pytest

from tests.support.client import RawClient
from tests.support.proxies import running_haproxy, running_nginx
from tests.support.server import RunningServer

ADDRESS, PORT = "REMOTE_ADDR", "REMOTE_PORT"

#: An address of this machine that no setting trusts; on it clients stand for strangers.
STRANGER = "127.0.0.9"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (apt install curl)")


def curl(address, *options):
    """Return the environ that a request of STRANGER's comes to."""
    url = f"http://{address[0]}:{address[1]}/shop/cart"
    command = ["curl", "-sS", "--fail", "--noproxy", "*", "--interface", STRANGER, *options, url]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)


@pytest.fixture(scope="module")
def server():
    with RunningServer("environment") as server:
        yield server


# nginx.


@needs_curl
def test_nginx_tells_who_asks(server):
    """`$proxy_add_x_forwarded_for` adds to what the client has sent, which is not believed."""
    extra = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"

    with running_nginx(server.address, extra) as proxy:
        environ = curl(proxy.address, "-H", "X-Forwarded-For: 192.0.2.66", "-H", "X-Forwarded-Proto: https")

    assert STRANGER == environ[ADDRESS]
    assert "http" == environ["wsgi.url_scheme"]
    assert f"192.0.2.66, {STRANGER}" == environ["HTTP_X_FORWARDED_FOR"]


@needs_curl
def test_nginx_tells_that_it_was_asked_by_tls(server):
    with running_nginx(server.address, "proxy_set_header X-Forwarded-Proto https;") as proxy:
        environ = curl(proxy.address)

    assert ("https", "on") == (environ["wsgi.url_scheme"], environ["HTTPS"])


@needs_curl
def test_host_that_a_client_claims_through_nginx_is_not_believed(server):
    with running_nginx(server.address, "proxy_set_header Host shop.example;") as proxy:
        environ = curl(proxy.address, "-H", "X-Forwarded-Host: evil.example")

    assert "shop.example" == environ["HTTP_HOST"]


@needs_curl
def test_script_name_is_nginx_s_to_say(server):
    """nginx passes on names with underscores here, and its own replaces the client's."""
    with running_nginx(server.address, "proxy_set_header SCRIPT_NAME /shop;") as proxy:
        environ = curl(proxy.address, "-H", "Script-Name: /forged")

    assert ("/shop", "/cart") == (environ["SCRIPT_NAME"], environ["PATH_INFO"])


@needs_curl
def test_claims_of_a_stranger_are_removed_and_that_is_logged(server):
    environ = curl(server.address, "-H", "X-Forwarded-For: 127.0.0.1", "-H", "X-Forwarded-User: root")

    assert STRANGER == environ[ADDRESS]
    assert [] == [key for key in environ if key.startswith("HTTP_X")]
    server.wait_for_log(f"X-Forwarded-.* was removed from a request of {STRANGER}, which is not among forwarded_allow_ips")


@pytest.mark.security("unix-socket peers are not automatically trusted when world-writable")
@pytest.mark.parametrize(("trusted", "address"), [("127.0.0.1", ""), ("unix", "192.0.2.1")])
def test_unix_socket_is_believed_only_when_it_is_named(start_server, tmp_path, trusted, address):
    path = str(tmp_path / "socket")
    start_server("environment", "--bind", f"unix:{path}", "--forwarded-allow-ips", trusted, sockets=())

    with RawClient(path) as client:
        environ = json.loads(client.ask("/", "X-Forwarded-For: 192.0.2.1").content)

    assert address == environ[ADDRESS]


# The PROXY protocol.


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_haproxy_introduces_each_client(start_server, version):
    """HAProxy keeps connections for others only where the header would be the same."""
    server = start_server("environment", "--proxy-protocol", version)
    found, true = [], []

    with running_haproxy(server.address, "send-proxy" if version == "v1" else "send-proxy-v2") as proxy:
        for _ in range(3):
            with RawClient(proxy.address) as client:
                for _ in range(2):
                    found.append(json.loads(client.ask("/").content)[PORT])
                    true.append(str(client.address[1]))

    assert true == found


@needs_curl
def test_haproxy_s_client_is_not_haproxy(start_server):
    server = start_server("environment", "--proxy-protocol", "auto")

    with running_haproxy(server.address, "send-proxy-v2") as proxy:
        environ = curl(proxy.address, "-H", "X-Forwarded-For: 127.0.0.1")

    assert (STRANGER, "TCP4") == (environ[ADDRESS], environ["PROXY_PROTOCOL"])
    assert "HTTP_X_FORWARDED_FOR" not in environ


@needs_curl
def test_header_stands_before_tls(start_server, authority):
    pair = authority.issue("localhost")
    server = start_server("environment", *pair.flags, "--proxy-protocol", "v2")

    with running_haproxy(server.address, "send-proxy-v2 ssl verify none") as proxy:
        environ = curl(proxy.address)

    assert (STRANGER, "https") == (environ[ADDRESS], environ["wsgi.url_scheme"])


@needs_curl
def test_curl_introduces_itself(start_server):
    server = start_server("environment", "--proxy-protocol", "v1", "--proxy-allow-from", STRANGER)

    environ = curl(server.address, "--haproxy-protocol")

    assert (STRANGER, server.address[0]) == (environ[ADDRESS], environ["PROXY_ADDR"])


def test_peer_that_does_not_introduce_anybody_is_not_served(start_server):
    server = start_server("environment", "--proxy-protocol", "auto")

    with RawClient(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.finish_sending()
        answer = receive_or_reset(client)

    assert b"" == answer
    server.wait_for_log("no PROXY header from 127.0.0.1: it begins with b'GET / HTTP/1.1")


def receive_or_reset(client):
    try:
        return client.receive_until_close()
    except ConnectionResetError:
        return b""
