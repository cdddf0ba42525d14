"""Answers that go on: what proxies are told, and when the application need not go on."""

import pytest

from tests.wsgi.exchanges import answer, run

EVENTS = ("Content-Type", "text/event-stream; charset=utf-8")
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize("request_bytes", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", OLD], ids=["1.1", "1.0"])
def test_proxies_are_asked_not_to_hold_events_back(request_bytes):
    outcome = run(answer(fields=[EVENTS], blocks=iter([b"data: 1\n\n"])), request_bytes)

    assert "no" == outcome.fields["X-Accel-Buffering"]


def test_application_that_speaks_of_buffering_itself_is_not_contradicted():
    outcome = run(answer(fields=[EVENTS, ("x-accel-buffering", "yes")], blocks=iter([b"data: 1\n\n"])))

    assert ("yes", 1) == (outcome.fields["x-accel-buffering"], outcome.head.lower().count(b"x-accel"))


@pytest.mark.parametrize(
    "fields", [[], [("Content-Type", "text/plain")], [EVENTS, ("Content-Length", "9")]], ids=["no type", "text", "known length"]
)
def test_other_answers_say_nothing_of_buffering(fields):
    assert "X-Accel-Buffering" not in run(answer(fields=fields, blocks=iter([b"data: 1\n\n"]))).fields


class Endless:
    """Content without an end, which tells whether it was closed."""

    def __init__(self):
        self.asked = 0
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.asked += 1
        assert self.asked < 100, "nobody hears this"
        return b"x"

    def close(self):
        self.closed += 1


@pytest.mark.security("HEAD/204/304 bodies dropped")
@pytest.mark.parametrize(("status", "request_bytes"), [("200 OK", HEAD), ("204 No Content", HEAD.replace(b"HEAD", b"GET"))])
def test_endless_content_that_nobody_hears_is_closed_at_once(status, request_bytes):
    blocks = Endless()

    outcome = run(answer(status, blocks=blocks), request_bytes)

    assert (1, 1) == (blocks.asked, blocks.closed)
    assert b"" == outcome.content
    assert outcome.exchange.persistent


def test_write_after_the_end_cannot_reach_the_next_answer():
    kept = []

    def application(environ, start_response):
        kept.append(start_response("200 OK", []))
        return [b"x"]

    outcome = run(application)
    before = len(outcome.sends)
    with pytest.raises(Exception, match="after the response was complete"):
        kept[0](b"late")

    assert before == len(outcome.sends)


def test_blocks_after_the_first_may_leave_together():
    outcome = run(answer(blocks=iter([b"a", b"b", b"c"])))

    assert (4, 2) == (len(outcome.sends), outcome.streamed)
    assert outcome.sends[0].endswith(b"1\r\na\r\n")
    assert [b"1\r\nb\r\n", b"1\r\nc\r\n", b"0\r\n\r\n"] == outcome.sends[1:]


def test_written_blocks_after_the_first_may_leave_together():
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        write(b"b")
        return []

    assert 1 == run(application).streamed


@pytest.mark.parametrize("blocks", [[b"a", b"b"], (b"a", b"b"), [b"x" * 50_000] * 2], ids=["list", "tuple", "large"])
def test_content_that_is_all_there_waits_for_nothing(blocks):
    assert 0 == run(answer(blocks=blocks)).streamed
