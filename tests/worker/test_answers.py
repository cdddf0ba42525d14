"""What happens around an answer: before it, while the client still sends, and beside other connections."""

import re
import time

import gevent
import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
MUCH = 50_000_000


def refuse(environ, start_response):
    start_response("401 Unauthorized", [("Content-Length", "2")])
    return [b"no"]


# Before it.


def test_early_hints_come_before_each_answer_of_a_connection(serve):
    def application(environ, start_response):
        environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
        start_response("200 OK", [])
        return [b"hello"]

    client = serve(application)

    client.send(GET + LAST)
    answers = client.receive()

    assert [b"103", b"200", b"103", b"200"] == re.findall(rb"HTTP/1\.1 (\d+)", answers)


def test_unknown_expectation_is_417(serve):
    client = serve(refuse)

    client.send(LAST[:-2] + b"Expect: the-unexpected\r\n\r\n")

    assert client.receive().startswith(b"HTTP/1.1 417 Expectation Failed\r\n")


def test_content_that_is_too_much_is_refused_before_it_is_sent(serve):
    """The final answer takes the place of 100 (Continue): the client need not send anything (RFC 9110 section 10.1.1)."""
    client = serve(refuse, limit_request_content=1000)

    client.send(POST[:-2] % MUCH + b"Expect: 100-continue\r\n\r\n")
    client.socket.shutdown(1)
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert 1 == answer.count(b"HTTP/1.1")


# While the client still sends.


def send_all_then_read(client, content_length):
    """Do what most clients do: look for the answer only when everything is sent."""
    client.send(POST % content_length)
    for _ in range(content_length // 100_000):
        client.send(b"x" * 100_000)
    return client.receive()


def send_for_ever(client):
    while True:
        client.send(b"x" * 10_000)
        gevent.sleep(0)


@pytest.mark.security("body unread by app: bounded drain or close")
@pytest.mark.parametrize(("limit", "status"), [(0, b"401"), (1000, b"413")], ids=["by the application", "by the server"])
def test_refusal_reaches_a_client_that_is_still_sending(serve, limit, status):
    client = serve(refuse, limit_request_content=limit)

    answer = send_all_then_read(client, MUCH)

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in answer


def test_connection_goes_on_after_a_little_unread_content(serve):
    client = serve(refuse)

    client.send(POST % 60_000 + b"x" * 60_000 + LAST)
    answers = client.receive()

    assert 2 == answers.count(b"HTTP/1.1 401")
    assert 1 == answers.count(b"Connection: close")


def test_client_that_sends_nothing_more_is_not_waited_for_long(serve, monkeypatch):
    monkeypatch.setattr("greenserve.worker.connection.LINGER_SILENCE", 0.05)
    client = serve(refuse)

    client.send(POST % MUCH)

    assert client.receive().endswith(b"no")


def test_client_that_never_stops_sending_is_cut_off(serve, stage, monkeypatch):
    monkeypatch.setattr("greenserve.worker.connection.LINGER", 0.1)
    client = serve(refuse)
    client.send(POST % (1 << 30))

    with pytest.raises(OSError, match=r"Broken pipe|reset"), gevent.Timeout(10):
        send_for_ever(client)


# Beside other connections.


def test_slow_generator_lets_others_run_after_each_block(serve):
    """Turns are taken by time: ten blocks of 20 ms each must not keep the others waiting for 200."""
    finished = []

    def slow(environ, start_response):
        start_response("200 OK", [])
        for _ in range(10):
            began = time.perf_counter()
            while time.perf_counter() - began < 0.02:
                pass
            yield b"."

    def order(environ, start_response):
        finished.append("quick")
        start_response("200 OK", [])
        return []

    greedy, other = serve(slow), serve(order)
    greedy.send(LAST)
    drain = gevent.spawn(greedy.receive)
    drain.link(lambda _: finished.append("slow"))
    other.send(LAST)

    other.receive()
    drain.join()
    gevent.sleep(0)

    assert ["quick", "slow"] == finished


# What the log says of a bad one.


def test_log_names_the_request_and_the_place_in_the_application(serve, caplog):
    def view(environ, start_response):
        start_response("200 OK", [("X-User", "a\r\nSet-Cookie: admin=1")])
        return []

    client = serve(view)

    client.send(LAST.replace(b"GET /", b"GET /users"))
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"Set-Cookie" not in answer
    (said,) = caplog.messages
    assert re.fullmatch(r"GET /users: response field 'X-User' has a character .* \(in view, .*test_answers\.py:\d+\)", said)


def test_log_names_a_block_that_is_not_bytes(serve, caplog):
    def view(environ, start_response):
        start_response("200 OK", [])
        return ["text"]

    client = serve(view)

    client.send(LAST)
    client.receive()

    assert ["GET /: the application yielded str, not bytes: 'text'"] == caplog.messages
