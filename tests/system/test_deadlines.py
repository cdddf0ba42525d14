"""A client that makes the server wait, or hold, gets only so much."""

import time

import pytest

from tests.support.client import RawClient, make_request


def seconds_until_close(client):
    """Return what the server sent before it closed, and how many seconds that took."""
    began = time.monotonic()
    data = client.receive_until_close()
    return data, time.monotonic() - began


@pytest.mark.security("deadline for idle")
def test_idle_connection_is_closed_after_keep_alive(start_server):
    server = start_server("hello", "--keep-alive", "1")

    with RawClient(server.address) as client:
        client.ask()
        data, seconds = seconds_until_close(client)

    assert b"" == data
    assert 0.5 <= seconds < 10


def test_head_that_is_not_finished_is_answered_with_408(start_server):
    server = start_server("hello", "--head-timeout", "1")

    with RawClient(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: te")
        data, seconds = seconds_until_close(client)

    assert data.startswith(b"HTTP/1.1 408 ")
    assert 0.5 <= seconds < 10


@pytest.mark.security("deadline for head")
def test_head_that_trickles_gains_no_time(start_server):
    """The deadline is for the whole head; a byte now and then would hold the connection for ever."""
    server = start_server("hello", "--head-timeout", "1")

    with RawClient(server.address, timeout=0.1) as client:
        client.send(b"GET / HTTP/1.1\r\nX-Slow: ")
        answer = trickle_until_answered(client)

    assert answer.startswith(b"HTTP/1.1 408 ")


def trickle_until_answered(client):
    """Send a byte each time nothing has come for the client's timeout; return what comes at last."""
    for _ in range(100):
        try:
            return client.receive_some()
        except TimeoutError:
            client.send(b"a")
    raise AssertionError("a hundred bytes, a tenth of a second apart, were listened to")


@pytest.mark.security("deadline for body (with min rate)")
def test_content_that_stops_coming_is_answered_and_closed(start_server):
    server = start_server("echo", "--content-timeout", "1")

    with RawClient(server.address) as client:
        client.send(make_request("/", "Content-Length: 10", method="POST") + b"half")
        data, seconds = seconds_until_close(client)

    assert data.startswith(b"HTTP/1.1 408 ")
    assert 0.5 <= seconds < 10


@pytest.mark.security("deadline for write stall")
def test_client_that_does_not_read_is_cut_off(start_server):
    server = start_server("closing", "--write-timeout", "1")

    with RawClient(server.address) as client:
        client.send(make_request("/stream"))
        server.wait_for_log("the stream was closed")


def test_client_that_does_not_read_delays_nobody(start_server):
    server = start_server("closing")

    with RawClient(server.address) as idle, RawClient(server.address) as busy:
        idle.send(make_request("/stream"))
        idle.receive_some()

        assert b"fine" == busy.ask().content


@pytest.mark.security("multipart is the app's, but `max_body` default on")
@pytest.mark.parametrize("chunked", [False, True], ids=["fixed", "chunked"])
def test_content_beyond_the_limit_is_refused_with_413(start_server, chunked):
    server = start_server("echo", "--limit-request-content", "1000")
    framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 1001"
    content = b"3e9\r\n" + b"x" * 1001 if chunked else b"x" * 1001

    with RawClient(server.address) as client:
        client.send(make_request("/", framing, method="POST") + content)
        response = client.receive_response()

    assert (413, False) == (response.status, response.persistent)


def test_connections_beyond_the_limit_wait_for_a_place(start_server):
    server = start_server("hello", "--worker-connections", "2")

    with RawClient(server.address) as first, RawClient(server.address) as second, RawClient(server.address) as third:
        assert [200, 200] == [first.ask().status, second.ask().status]
        third.send(make_request())
        first.close()

        assert 200 == third.receive_response().status
