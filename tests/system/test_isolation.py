"""One request never sees another, whatever the application or the client does wrong."""

import json

import pytest

from tests.support.client import RawClient, make_request
from tests.support.server import RunningServer


@pytest.fixture(scope="module")
def echo():
    with RunningServer("echo") as server:
        yield server


@pytest.fixture(scope="module")
def streams():
    with RunningServer("streams") as server:
        yield server


@pytest.fixture(scope="module")
def broken():
    with RunningServer("broken") as server:
        yield server


def chunked(*pieces, path="/"):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return make_request(path, "Transfer-Encoding: chunked", method="POST") + chunks + b"0\r\n\r\n"


# Between requests.


@pytest.mark.security("no state between keep-alive requests")
def test_variable_set_in_one_request_is_unseen_by_the_next_on_its_connection(start_server):
    server = start_server("context")

    with RawClient(server.address) as client:
        seen = [client.ask(f"/?{name}").content for name in ("alice", "bob", "carol")]

    assert [b"nobody"] * 3 == seen


def test_pipelined_requests_are_answered_in_their_order(echo):
    contents = [b"first", b"second", b"third"]

    with RawClient(echo.address) as client:
        client.send(b"".join(make_request(method="POST", content=content) for content in contents))
        answers = [client.receive_response().content for _ in contents]

    assert contents == answers


def test_content_that_the_application_ignored_is_no_request(echo):
    with RawClient(echo.address) as client:
        smuggled = make_request("/smuggled")
        ignored = client.ask("/ignore", method="POST", content=smuggled)
        after = client.ask(method="POST", content=b"after")

    assert [b"ignored", b"after"] == [ignored.content, after.content]


# Framing.


@pytest.mark.parametrize("path", ["/", "/pieces", "/lines"])
def test_content_is_read_whole_in_every_way(echo, path):
    content = b"a line\nanother line\nand an end without one"

    with RawClient(echo.address) as client:
        fixed = client.ask(path, method="POST", content=content)
        client.send(chunked(content[:5], content[5:], path=path))
        in_chunks = client.receive_response()

    assert [content, content] == [fixed.content, in_chunks.content]


def test_continue_is_sent_when_the_application_reads(echo):
    with RawClient(echo.address) as client:
        client.send(make_request("/", "Expect: 100-continue", "Content-Length: 4", method="POST"))
        interim = client.receive_response()
        client.send(b"late")
        final = client.receive_response()

    assert [(100, b""), (200, b"late")] == [(interim.status, interim.content), (final.status, final.content)]


def test_continue_is_not_sent_when_the_application_does_not_read(echo):
    with RawClient(echo.address) as client:
        client.send(make_request("/ignore", "Expect: 100-continue", "Content-Length: 4", method="POST"))

        assert 200 == client.receive_response().status


def test_head_has_the_fields_and_no_content(echo):
    with RawClient(echo.address) as client:
        head = client.ask("/ignore", method="HEAD")
        after = client.ask("/ignore")

    assert ("7", "HEAD") == (head.field("Content-Length"), head.field("X-Method"))
    assert b"ignored" == after.content


@pytest.mark.parametrize("form", ["generator", "list_of_two", "written", "file"])
def test_every_form_of_answer_arrives_whole_and_keeps_the_connection(streams, form):
    with RawClient(streams.address) as client:
        answers = [client.ask(f"/{form}").content for _ in range(2)]

    assert [b"one two three"] * 2 == answers


@pytest.mark.parametrize(("path", "status"), [("/nothing", 204), ("/unchanged", 304)])
def test_answer_without_content_keeps_the_connection(streams, path, status):
    with RawClient(streams.address) as client:
        empty = client.ask(path)
        after = client.ask("/file")

    assert (status, None) == (empty.status, empty.field("Transfer-Encoding"))
    assert b"one two three" == after.content


def test_http_1_0_is_answered_unchunked_and_closed(streams):
    with RawClient(streams.address) as client:
        client.send(b"GET /generator HTTP/1.0\r\n\r\n")
        head, _, content = client.receive_until_close().partition(b"\r\n\r\n")

    assert b"one two three" == content
    assert b"chunked" not in head


def test_connection_close_is_honoured(echo):
    with RawClient(echo.address) as client:
        client.send(make_request("/ignore", "Connection: close"))

        assert client.receive_until_close().endswith(b"ignored")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_refused_request_is_answered_and_nothing_after_it_is_read(echo, request_bytes, status):
    with RawClient(echo.address) as client:
        client.send(request_bytes + make_request("/ignore"))
        response = client.receive_response()
        rest = client.receive_until_close()

    assert (status, b"") == (response.status, rest)


# PEP 3333.


def test_examiner_of_the_standard_library_is_content(start_server):
    server = start_server("validated")

    with RawClient(server.address) as client:
        answers = [client.ask(), client.ask(method="POST", content=b" and content")]

    assert [b"ok", b"ok and content"] == [answer.content for answer in answers]


def test_environ_has_the_keys_that_applications_rely_on(start_server):
    server = start_server("environment", "--env", "FLAVOUR=sweet", "--workers", "2")

    with RawClient(server.address) as client:
        environ = json.loads(client.ask("/caf%C3%A9/x%2Fy?q=1%202", "X-Two: a", "X-Two: b", "Content-Type: text/plain").content)

    host, port = server.address[:2]
    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\xc3\xa9/x/y",
        "QUERY_STRING": "q=1%202",
        "RAW_URI": "/caf%C3%A9/x%2Fy?q=1%202",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "text/plain",
        "HTTP_HOST": "test",
        "HTTP_X_TWO": "a, b",
        "wsgi.version": [1, 0],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    assert expected == {name: environ.get(name) for name in expected}
    assert "sweet" == environ["os.environ"]["FLAVOUR"]
    assert not environ["SERVER_SOFTWARE"].startswith("gevent")


@pytest.mark.parametrize(
    "fault",
    ["raises", "raises_after_start", "never_starts", "starts_twice", "sends_text", "bad_status", "splits_response", "hop_by_hop"],
)
def test_broken_application_is_answered_for_with_500(broken, fault):
    with RawClient(broken.address) as client:
        response = client.ask(f"/{fault}")

    assert 500 == response.status
    assert "Set-Cookie" not in dict(response.fields)
    assert b"Traceback" not in response.content


@pytest.mark.security("no stack traces to clients")
def test_traceback_is_for_the_log_alone(broken):
    with RawClient(broken.address) as client:
        response = client.ask("/raises")

    broken.wait_for_log(r"KeyError: 'the secret of the application'")
    assert b"secret" not in response.content


@pytest.mark.parametrize("kind", ["greenlet", "thread", "timer"])
def test_sys_exit_beside_a_request_ends_neither_the_worker_nor_others(start_server, gate, kind):
    server = start_server("exits", env=gate.environ)
    before = server.workers()

    with RawClient(server.address) as waiting, RawClient(server.address) as client:
        waiting.send(make_request("/wait"))
        visitor = gate.admit()
        assert b"exited" == client.ask(f"/{kind}").content
        visitor.release()
        assert b"passed" == waiting.receive_response().content

    assert before == server.workers()
    if kind != "thread":
        # Python itself says nothing of a thread.
        server.wait_for_log("SystemExit: 3")


@pytest.mark.parametrize("fault", ["raises_midway", "sends_too_little"])
def test_answer_that_breaks_off_closes_the_connection(broken, fault):
    """The length was promised; only a closed connection tells the client that the rest will not come."""
    with RawClient(broken.address) as client:
        client.send(make_request(f"/{fault}"))
        answer = client.receive_until_close()

    assert answer.endswith(b"half")
    assert b"Content-Length: 9" in answer


def test_answer_longer_than_its_promise_cannot_become_the_next_answer(broken):
    with RawClient(broken.address) as client:
        client.send(make_request("/sends_too_much") + make_request("/fine"))
        first = client.receive_response()
        rest = client.receive_until_close()

    assert first.content in (b"half", b"") or first.status == 500
    assert b"and the rest" not in rest


def test_application_may_correct_itself_before_the_head_is_sent(broken):
    with RawClient(broken.address) as client:
        response = client.ask("/corrects_itself")

    assert (503, b"sorry") == (response.status, response.content)


def test_fault_in_one_request_leaves_the_next_in_order(broken):
    with RawClient(broken.address) as client:
        client.ask("/raises")

    with RawClient(broken.address) as client:
        assert b"fine" == client.ask().content


# Clients that leave.


def test_answer_is_closed_when_the_client_resets_the_connection(start_server):
    server = start_server("closing")

    client = RawClient(server.address)
    client.send(make_request("/stream"))
    client.receive_some()
    client.reset()

    server.wait_for_log("the stream was closed")
    with RawClient(server.address) as client:
        assert b"fine" == client.ask().content


def test_client_that_leaves_is_no_error_of_the_application(start_server):
    server = start_server("closing")

    client = RawClient(server.address)
    client.send(make_request("/stream"))
    client.receive_some()
    client.close()
    server.wait_for_log("the stream was closed")
    server.stop()

    assert "Traceback" not in server.log


def test_client_that_leaves_in_the_middle_of_its_content_harms_nobody(echo):
    client = RawClient(echo.address)
    client.send(make_request("/", "Content-Length: 1000", method="POST") + b"a beginning")
    client.close()

    with RawClient(echo.address) as client:
        assert b"ignored" == client.ask("/ignore").content


def test_half_closed_client_still_gets_its_answer(echo):
    with RawClient(echo.address) as client:
        client.send(make_request("/ignore"))
        client.finish_sending()

        assert b"ignored" == client.receive_response().content
