"""One connection from its first byte to its last."""

import contextvars

import gevent
import pytest
from gevent.event import Event

from greenserve.errors import ClientDisconnected

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def echo(environ, start_response):
    content = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [content]


def post(content, *fields):
    head = b"".join(
        b"%b\r\n" % field for field in (b"POST / HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(content), *fields)
    )
    return head + b"\r\n" + content


def test_requests_follow_each_other_on_one_connection(serve):
    client = serve(hello)

    client.send(GET)
    first = client.receive(b"hello")
    client.send(LAST)
    second = client.receive()

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.endswith(b"hello")
    assert b"Connection: close" in second


def test_pipelined_requests_are_answered_in_order(serve):
    def path(environ, start_response):
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    client = serve(path)

    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(40)) + LAST)
    answers = client.receive()

    found = [part.split(b"\r\n\r\n")[1] for part in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert [b"/%d" % number for number in range(40)] + [b"/"] == found


def test_field_that_the_settings_allow_fits_into_a_head(serve):
    client = serve(hello, limit_request_field_size=100_000)

    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + 90_000 * b"x" + b"\r\n\r\n")

    assert client.receive().endswith(b"hello")


def test_request_in_pieces_is_one_request(serve):
    client = serve(echo)

    for byte in post(b"content", b"Connection: close"):
        client.send(bytes([byte]))
        gevent.sleep(0)

    assert client.receive().endswith(b"content")


@pytest.mark.security("body unread by app: bounded drain or close")
def test_content_the_application_left_unread_is_not_the_next_request(serve):
    client = serve(hello)

    client.send(post(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n") + LAST)

    assert 2 == client.receive().count(b"HTTP/1.1 200 OK")


def test_much_unread_content_ends_the_connection_after_the_answer(serve):
    client = serve(hello)

    client.send(post(b"x" * 300_000))

    assert client.receive().endswith(b"hello")


@pytest.mark.security("after any framing error close, never parse another request")
def test_refused_request_is_answered_and_nothing_after_it_is_read(serve):
    client = serve(hello)

    client.send(b"GET / HTTP/1.1\r\n\r\n" + GET)
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert 1 == answer.count(b"HTTP/1.1")


@pytest.mark.security("100-continue once and never after the final head")
def test_100_goes_out_on_the_first_read(serve):
    client = serve(echo)

    client.send(post(b"", b"Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 2"))
    welcome = client.receive(b"\r\n\r\n")
    client.send(b"hi")

    assert b"HTTP/1.1 100 Continue\r\n\r\n" == welcome
    assert client.receive(b"hi").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.security("100-continue once and never after the final head")
def test_100_never_follows_the_answer(serve):
    def late_reader(environ, start_response):
        start_response("200 OK", [])
        yield b"answer"
        yield environ["wsgi.input"].read()

    client = serve(late_reader)

    client.send(post(b"", b"Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 2"))
    client.receive(b"answer\r\n")
    client.send(b"hi")

    assert b"2\r\nhi\r\n0\r\n\r\n" == client.receive()


@pytest.mark.security("fresh context per request (probe finding)")
def test_context_of_one_request_is_unknown_to_the_next(serve):
    variable = contextvars.ContextVar("variable", default="unset")

    def application(environ, start_response):
        seen = variable.get()
        variable.set("LEAK")
        start_response("200 OK", [])
        return [seen.encode()]

    client = serve(application)

    client.send(GET + LAST)

    assert 2 == client.receive().count(b"unset")


def test_context_holds_from_the_call_to_the_last_block_and_close(serve):
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Blocks:
        def __iter__(self):
            yield variable.get().encode()

        def close(self):
            seen.append(variable.get())

    def application(environ, start_response):
        variable.set("kept")
        start_response("200 OK", [])
        return Blocks()

    client = serve(application)
    client.send(LAST)

    assert b"kept" in client.receive()
    assert ["kept"] == seen


# Deadlines.


def test_client_that_never_sends_is_let_go_without_a_word(serve):
    assert b"" == serve(hello, head_timeout=0.05).receive()


def test_idle_connection_is_let_go_without_a_word(serve):
    client = serve(hello, keepalive=0.05)

    client.send(GET)

    assert client.receive().endswith(b"hello")


@pytest.mark.security("deadline for head")
def test_head_that_trickles_gets_408(serve):
    client = serve(hello, head_timeout=0.05)

    client.send(GET[:-1])

    assert client.receive().startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_content_that_stalls_gets_408(serve):
    client = serve(echo, content_timeout=0.05)

    client.send(post(b"whole")[:-1])

    assert client.receive().startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_client_that_does_not_read_is_given_up(serve, stage):
    failures = []

    def endless(environ, start_response):
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 100_000
        finally:
            failures.append("closed")

    client = serve(endless, write_timeout=0.05)
    client.send(GET)
    gevent.joinall(stage.greenlets, timeout=10)

    assert ["closed"] == failures


# Clients that leave.


def test_client_that_leaves_in_the_content_makes_reading_raise(serve, stage):
    raised = []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except ClientDisconnected as error:
            raised.append(error)
            raise

    client = serve(application)
    client.send(post(b"whole")[:-1])
    client.socket.close()
    gevent.joinall(stage.greenlets, timeout=10)

    assert 1 == len(raised)


def test_half_closed_client_is_still_answered(serve):
    client = serve(hello)

    client.send(GET)
    client.socket.shutdown(1)

    assert client.receive().endswith(b"hello")


@pytest.mark.security("half-open sockets do not busy-loop")
def test_half_closed_client_costs_no_turns_of_the_loop(serve):
    """CVE-2024-49769: the end that a client has sent stays readable, and must not wake anybody again and again."""
    turns = []

    def slow(environ, start_response):
        before = gevent.get_hub().loop.iteration
        Event().wait(0.2)
        turns.append(gevent.get_hub().loop.iteration - before)
        start_response("200 OK", [])
        return [b"done"]

    client = serve(slow)
    client.send(GET)
    client.socket.shutdown(1)

    assert client.receive().endswith(b"done")
    assert turns[0] < 200


# Many, and fair.


def test_generator_that_never_waits_lets_others_run(serve, stage):
    stop = []

    def endless(environ, start_response):
        start_response("200 OK", [])
        while not stop:
            yield b"."

    greedy = serve(endless)
    greedy.send(LAST)
    drain = gevent.spawn(greedy.receive)
    other = serve(hello)
    other.send(LAST)

    assert other.receive().endswith(b"hello")
    stop.append(True)
    assert drain.get(timeout=10).endswith(b"0\r\n\r\n")


def test_timeout_that_the_application_forgot_ends_the_connection_with_one_line(serve, caplog):
    """It is thrown into the greenlet that started it, whatever that does by then."""

    def forget(environ, start_response):
        gevent.Timeout(0.01).start()
        return hello(environ, start_response)

    client = serve(forget)
    client.send(GET)

    assert client.receive().endswith(b"hello")
    assert ["a connection was ended by a gevent.Timeout of 0.01 seconds that the application started and never closed"] == [
        record.getMessage() for record in caplog.records
    ]


# Draining.


def test_draining_answers_what_is_in_progress_and_closes(serve, stage):
    begun, go_on = Event(), Event()

    def slow(environ, start_response):
        begun.set()
        go_on.wait()
        start_response("200 OK", [])
        return [b"done"]

    client = serve(slow)
    client.send(GET)
    begun.wait()
    stage.service.draining = True
    go_on.set()
    answer = client.receive()

    assert b"Connection: close" in answer
    assert answer.endswith(b"done")


def test_idle_connection_of_a_draining_worker_is_answered_once_more(serve, stage):
    client = serve(hello)
    client.send(GET)
    client.receive(b"hello")
    stage.service.draining = True
    for connection in stage.service.connections:
        connection.drain()

    client.send(GET)

    assert b"Connection: close" in client.receive()


# Counting.


def refuse_and_linger(stage, serve):
    """Return a client that has its last answer, and does not leave."""
    client = serve(lambda environ, start_response: [])
    client.send(b"nonsense\r\n\r\n")
    assert client.receive().startswith(b"HTTP/1.1 400 ")
    assert 1 == stage.row["connections"]
    return client


@pytest.mark.security("idle keep-alive never starves new clients")
def test_client_that_lingers_makes_room_for_another(serve, stage):
    """It costs a stranger nothing to be refused and to stay; its silence would hold the place for five seconds."""
    refuse_and_linger(stage, serve)

    gevent.get_hub().loop.run_callback(stage.service.connections.make_room)

    gevent.joinall(stage.greenlets, timeout=3)
    assert (0, 1) == (stage.row["connections"], stage.row["connections_evicted"])


def test_draining_hears_nobody_out_for_long(serve, stage, monkeypatch):
    monkeypatch.setattr("greenserve.worker.connection.IDLE_LINGER", 0.1)
    refuse_and_linger(stage, serve)

    stage.service.draining = True
    gevent.get_hub().loop.run_callback(stage.service.connections.drain)

    gevent.joinall(stage.greenlets, timeout=3)
    assert 0 == stage.row["connections"]


def test_scoreboard_counts_what_happened(serve, stage):
    client = serve(hello)

    client.send(GET + LAST)
    client.receive()
    gevent.joinall(stage.greenlets, timeout=10)

    row = stage.row.read()
    assert (1, 2, 0, 0) == (row["accepted"], row["requests"], row["in_flight"], row["connections"])


# Slow clients.


@pytest.mark.security("deadline for body (with min rate)")
def test_content_below_the_minimum_rate_gets_408(serve):
    """A byte now and then keeps no request alive."""
    client = serve(echo, content_timeout=0.1, minimum_rate=1_000_000)
    client.send(post(b"x" * 100)[:-100])
    trickle = gevent.spawn(send_slowly, client, b"x" * 99)

    assert client.receive().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    trickle.kill()


def test_slow_content_above_the_minimum_rate_is_read(serve):
    client = serve(echo, content_timeout=0.2, minimum_rate=10)
    client.send(post(b"x" * 40, b"Connection: close")[:-40])
    send_slowly(client, b"x" * 40)

    assert client.receive().endswith(b"x" * 40)


def send_slowly(client, data):
    for byte in data:
        gevent.sleep(0.01)
        client.send(bytes([byte]))


@pytest.mark.security("deadline for write stall")
def test_client_that_reads_too_slowly_is_given_up(serve, stage):
    def big(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * 5_000_000]

    client = serve(big, write_timeout=0.2, minimum_rate=10_000_000)
    client.send(GET)
    while not stage.greenlets[0].dead:
        client.socket.recv(100)
        gevent.sleep(0.01)

    assert 1 == stage.row["deadlines_write"]


def test_client_that_reads_slowly_but_steadily_gets_all(serve, stage):
    """The kernel tells of room only when much is free; that the client takes bytes shows sooner."""

    def big(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * 1_000_000]

    client = serve(big, write_timeout=0.05, minimum_rate=1000)
    client.send(LAST)
    taken = b""
    while data := client.socket.recv(4096):
        taken += data
        gevent.sleep(0.001)

    assert taken.endswith(b"\r\n\r\n" + b"x" * 1_000_000)


# Overload.


def test_request_beyond_the_limit_gets_503_and_when_to_come_back(stage, serve):
    begun, go_on = Event(), Event()

    def slow(environ, start_response):
        begun.set()
        go_on.wait()
        start_response("200 OK", [])
        return [b"done"]

    first = serve(slow, requests_in_flight=1, request_queue=0)
    first.send(LAST)
    begun.wait()
    second = stage.serve_beside()
    second.send(LAST)
    refusal = second.receive()
    go_on.set()

    assert refusal.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nRetry-After: 1\r\n" in refusal
    assert first.receive().endswith(b"done")
    second.socket.close()


def test_block_may_be_of_a_class_made_of_bytes(serve):
    class Block(bytes):
        pass

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "6")])
        return iter([b"abc", Block(b"def")])

    client = serve(application)
    client.send(LAST)

    assert client.receive().endswith(b"abcdef")


def test_request_whose_environ_was_cleared_is_found_unfinished(serve, stage):
    entered = Event()

    def application(environ, start_response):
        environ.clear()
        entered.set()
        gevent.sleep(0.01)
        raise ValueError

    client = serve(application)
    client.send(LAST)
    entered.wait()

    assert ["-"] == [each.method for each in stage.service.connections.find_unfinished()]
    assert client.receive().startswith(b"HTTP/1.1 500 ")
