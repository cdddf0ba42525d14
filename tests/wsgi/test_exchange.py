"""PEP 3333 from the application's side, and what leaves for the client."""

import contextlib
import sys

import pytest

from greenserve.errors import BadRequest, BadResponse, ClientDisconnected
from tests.wsgi.exchanges import RecordingChannel, answer, run

HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


class Blocks:
    """An iterable with a close() that can be seen."""

    def __init__(self, *blocks, fails=None):
        self._blocks = blocks
        self._fails = fails
        self.closed = 0

    def __iter__(self):
        yield from self._blocks
        if self._fails:
            raise self._fails

    def close(self):
        self.closed += 1


# What leaves.


def test_head_and_content_of_a_list_leave_in_one_send():
    outcome = run(answer(fields=[("Content-Type", "text/plain")], blocks=[b"a", b"b"]))

    assert 1 == len(outcome.sends)
    assert "HTTP/1.1 200 OK" == outcome.status
    assert "2" == outcome.fields["Content-Length"]
    assert b"ab" == outcome.content


def test_content_of_unknown_length_is_chunked():
    outcome = run(answer(blocks=iter([b"one", b"", b"three"])))

    assert "chunked" == outcome.fields["Transfer-Encoding"]
    assert b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n" == outcome.content
    assert outcome.exchange.persistent


def test_each_block_leaves_as_it_is_yielded():
    channel = RecordingChannel()
    seen = []

    def blocks():
        yield b"first"
        seen.append(len(channel.sends))
        yield b"second"

    run(answer(blocks=blocks()), channel=channel)

    assert [1] == seen


def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection_as_the_end():
    outcome = run(answer(blocks=iter([b"one", b"two"])), OLD)

    assert "Transfer-Encoding" not in outcome.fields
    assert "close" == outcome.fields["Connection"]
    assert b"onetwo" == outcome.content
    assert not outcome.exchange.persistent


def test_http_1_0_with_keep_alive_persists_and_is_told_so():
    outcome = run(answer(blocks=[b"x"]), b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

    assert "keep-alive" == outcome.fields["Connection"]
    assert outcome.exchange.persistent


def test_no_content_announces_length_zero():
    outcome = run(answer())

    assert "0" == outcome.fields["Content-Length"]


@pytest.mark.security("HEAD/204/304 bodies dropped")
def test_head_request_gets_the_length_and_no_content():
    outcome = run(answer(blocks=[b"hello"]), HEAD)

    assert "5" == outcome.fields["Content-Length"]
    assert b"" == outcome.content
    assert outcome.exchange.persistent


@pytest.mark.security("HEAD/204/304 bodies dropped")
@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "205 Reset Content"])
def test_status_without_content_drops_what_the_application_yields(status):
    outcome = run(answer(status, blocks=[b"hello"]))

    assert b"" == outcome.content
    assert outcome.fields.get("Content-Length", "0") == "0"
    assert "Transfer-Encoding" not in outcome.fields
    assert outcome.exchange.persistent


def test_204_never_has_a_content_length():
    """RFC 9110 section 8.6; Flask and others send one."""
    outcome = run(answer("204 No Content", [("Content-Length", "0")]))

    assert "Content-Length" not in outcome.fields


def test_date_and_server_of_the_application_stand():
    outcome = run(answer(fields=[("Date", "mine"), ("Server", "mine")]))

    assert 1 == outcome.head.count(b"Date: ")
    assert ("mine", "mine") == (outcome.fields["Date"], outcome.fields["Server"])


def test_draining_server_ends_the_connection_with_this_answer():
    outcome = run(answer(), channel=RecordingChannel(persists=False))

    assert "close" == outcome.fields["Connection"]
    assert not outcome.exchange.persistent


def test_connection_close_of_the_application_is_honoured():
    outcome = run(answer(fields=[("Connection", "close")]))

    assert 1 == outcome.head.count(b"Connection: close")
    assert not outcome.exchange.persistent


def test_keep_alive_of_the_application_is_left_out():
    """Event-stream recipes for other servers set it."""
    outcome = run(answer(fields=[("Connection", "keep-alive"), ("Keep-Alive", "timeout=5")]))

    assert "HTTP/1.1 200 OK" == outcome.status
    assert b"keep-alive" not in outcome.head.lower()


# Content-Length that is wrong.


@pytest.mark.security("app shorter/longer than Content-Length → close")
def test_more_than_announced_is_cut_and_the_connection_ends():
    outcome = run(answer(fields=[("Content-Length", "3")], blocks=iter([b"ab", b"cdef", b"g"])))

    assert b"abc" == outcome.content
    assert isinstance(outcome.exchange.failure, BadResponse)
    assert not outcome.exchange.persistent


@pytest.mark.security("app shorter/longer than Content-Length → close")
def test_less_than_announced_ends_the_connection():
    outcome = run(answer(fields=[("Content-Length", "9")], blocks=[b"abc"]))

    assert b"abc" == outcome.content
    assert "fewer" in str(outcome.exchange.failure)
    assert not outcome.exchange.persistent


@pytest.mark.parametrize("value", ["", "-1", "+1", "0x3", "1_0", "a", "1 2", "٣"])
def test_malformed_content_length_is_500(value):
    assert_500(run(answer(fields=[("Content-Length", value)], blocks=[b"abc"])), "Content-Length")


def test_two_content_lengths_are_500():
    assert_500(run(answer(fields=[("Content-Length", "3")] * 2, blocks=[b"abc"])), "two Content-Length")


# Answers that are refused.


def assert_500(outcome, reason):
    assert "HTTP/1.1 500 Internal Server Error" == outcome.status
    assert b"500 Internal Server Error\n" == outcome.content
    assert reason in str(outcome.exchange.failure)


@pytest.mark.security("validate status line, names, values (also 103, trailers, WebSocket subprotocol) — error, never panic")
@pytest.mark.parametrize(
    "status", ["200", "20 OK", "0200 OK", "200 a\r\nX: y", "200 \N{SNOWMAN}", "OK", 200, b"200 OK", "100 Continue"]
)
def test_bad_status_is_500(status):
    assert_500(run(answer(status)), "status")


@pytest.mark.security("validate status line, names, values (also 103, trailers, WebSocket subprotocol) — error, never panic")
@pytest.mark.parametrize(
    "field",
    [
        ("X Y", "v"),
        ("", "v"),
        ("X:", "v"),
        ("Ünder", "v"),
        ("X", "a\r\nSet-Cookie: b"),
        ("X", "a\nb"),
        ("X", "a\0b"),
        ("X", "\N{SNOWMAN}"),
        ("X", 1),
        (b"X", b"v"),
        ["X", "v"],
        ("X",),
    ],
)
def test_bad_field_is_500_and_never_leaves(field):
    assert_500(run(answer(fields=[field])), "response field")


@pytest.mark.parametrize("name", ["Transfer-Encoding", "Upgrade", "TE", "Trailer", "Proxy-Authenticate"])
def test_hop_by_hop_field_is_500(name):
    assert_500(run(answer(fields=[(name, "x")])), "hop-by-hop")


def test_fields_that_are_no_list_are_500():
    def application(environ, start_response):
        start_response("200 OK", (("a", "b"),))
        return []

    assert_500(run(application), "not a list")


@pytest.mark.parametrize("block", ["text", bytearray(b"x"), 7, None])
def test_block_that_is_not_bytes_is_500(block):
    assert_500(run(answer(blocks=[b"fine", block])), "not bytes")


@pytest.mark.parametrize(("blocks", "name"), [("text", "str"), (b"bytes", "bytes"), (None, "NoneType")])
def test_common_mistakes_are_called_by_their_name(blocks, name):
    assert_500(run(answer(blocks=blocks)), f"the application returned {name}, not an iterable of bytes")


def test_no_start_response_is_500():
    assert_500(run(lambda environ, start_response: []), "without calling start_response")


def test_content_before_start_response_is_500():
    assert_500(run(lambda environ, start_response: [b"x"]), "before it called start_response")


def test_start_response_twice_is_500():
    def application(environ, start_response):
        start_response("200 OK", [])
        start_response("201 Created", [])
        return []

    assert_500(run(application), "twice")


# start_response(), exc_info, write().


def test_start_response_may_come_with_the_first_block():
    """PEP 3333: "before the iterable yields its first body bytestring"."""

    def application(environ, start_response):
        start_response("202 Accepted", [])
        yield b"late"

    assert "HTTP/1.1 202 Accepted" == run(application).status


def test_exc_info_replaces_an_answer_that_has_not_left():
    def application(environ, start_response):
        start_response("200 OK", [("X", "first")])
        yield b""
        try:
            raise ValueError
        except ValueError:
            start_response("418 Teapot", [("Y", "second")], sys.exc_info())
        yield b"sorry"

    outcome = run(application)

    assert "HTTP/1.1 418 Teapot" == outcome.status
    assert "X" not in outcome.fields


def test_exc_info_is_raised_once_the_answer_has_left():
    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"gone"
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 Oops", [], sys.exc_info())

    outcome = run(application)

    assert "late" == str(outcome.exchange.failure)
    assert b"0\r\n\r\n" not in outcome.content
    assert not outcome.exchange.persistent


def test_write_and_blocks_leave_in_order():
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"written ")
        write(b"")
        return [b"yielded"]

    outcome = run(application)

    assert b"8\r\nwritten \r\n7\r\nyielded\r\n0\r\n\r\n" == outcome.content


# Applications that fail.


@pytest.mark.parametrize("failure", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), GeneratorExit(), BaseException("odd")])
def test_any_exception_is_500(failure):
    def application(environ, start_response):
        raise failure

    outcome = run(application)

    assert "HTTP/1.1 500 Internal Server Error" == outcome.status
    assert outcome.exchange.failure is failure
    assert outcome.exchange.persistent


def test_exception_after_the_head_leaves_the_content_visibly_cut():
    blocks = Blocks(b"part", fails=ValueError("late"))

    outcome = run(answer(blocks=blocks))

    assert b"4\r\npart\r\n" == outcome.content
    assert not outcome.exchange.persistent


def test_exception_before_the_first_block_is_still_500():
    assert "HTTP/1.1 500 Internal Server Error" == run(answer(blocks=Blocks(fails=ValueError()))).status


@pytest.mark.security("always call `close()`")
def test_close_is_called_once_whatever_happens():
    whole, broken, cut = Blocks(b"x"), Blocks(b"x", fails=ValueError()), Blocks(b"x", b"y")

    run(answer(blocks=whole))
    run(answer(blocks=broken))
    run(answer(blocks=cut), channel=RecordingChannel(error=ClientDisconnected("gone")))

    assert [1, 1, 1] == [whole.closed, broken.closed, cut.closed]


def test_close_that_fails_does_not_spoil_the_answer():
    class Failing(Blocks):
        def close(self):
            raise ValueError("in close")

    outcome = run(answer(blocks=Failing(b"x")))

    assert outcome.content.endswith(b"0\r\n\r\n")
    assert "in close" == str(outcome.exchange.failure)


def test_client_that_left_is_not_answered():
    outcome = run(answer(blocks=[b"x"]), channel=RecordingChannel(error=ClientDisconnected("gone")))

    assert isinstance(outcome.exchange.failure, ClientDisconnected)
    assert not outcome.exchange.persistent


# Content of the request.


def test_unread_content_behind_an_unsent_100_ends_the_connection():
    """The client may or may not send it: nobody can tell what its next bytes are."""
    request = POST[:-2] + b"Expect: 100-continue\r\n\r\n"

    outcome = run(answer(), request)

    assert "close" == outcome.fields["Connection"]
    assert b"CONTINUE" not in outcome.wire


def test_broken_content_is_400_even_if_the_application_swallows_the_error():
    def application(environ, start_response):
        with contextlib.suppress(BadRequest):
            environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b"all is well"]

    outcome = run(application, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", more=[b"xyz\r\n"])

    assert "HTTP/1.1 400 Bad Request" == outcome.status
    assert "close" == outcome.fields["Connection"]
    assert not outcome.exchange.persistent
