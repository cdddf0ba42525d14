"""`wsgi.early_hints`: fields that leave before the answer is known."""

import pytest

from greenserve.errors import ClientDisconnected
from tests.wsgi.exchanges import RecordingChannel, run

LINK = ("Link", "</style.css>; rel=preload; as=style")
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"


def hint(*fields, before=()):
    """Return what runs for an application that gives *fields* as hints after it has sent *before*."""

    def application(environ, start_response):
        write = start_response("200 OK", [("Content-Length", "2")])
        for block in before:
            write(block)
        environ["wsgi.early_hints"](list(fields))
        return [b"ok"[sum(map(len, before)) :]]

    return application


def test_hints_leave_at_once_and_the_answer_follows():
    outcome = run(hint(LINK))

    assert HINTS == outcome.sends[0]
    assert outcome.sends[1].startswith(b"HTTP/1.1 200 OK\r\n")
    assert outcome.exchange.persistent


def test_hints_may_come_more_than_once():
    def application(environ, start_response):
        environ["wsgi.early_hints"]([LINK])
        environ["wsgi.early_hints"]([LINK])
        start_response("204 No Content", [])
        return []

    assert [HINTS, HINTS] == run(application).sends[:2]


def test_http_1_0_knows_no_interim_response():
    outcome = run(hint(LINK), OLD)

    assert b" 103 " not in outcome.wire


def test_hints_never_follow_the_answer():
    outcome = run(hint(LINK, before=[b"o"]))

    assert b" 103 " not in outcome.wire
    assert b"ok" == outcome.content


@pytest.mark.security("validate status line, names, values (also 103, trailers, WebSocket subprotocol) — error, never panic")
@pytest.mark.parametrize(
    "field",
    [
        ("Link", "a\r\nSet-Cookie: admin=1"),
        ("Link\r\n\r\nHTTP/1.1 200 OK", "x"),
        ("Bad Name", "x"),
        ("Link", 1),
        ("Link",),
        "Link: x",
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
    ],
)
@pytest.mark.parametrize("request_bytes", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", OLD], ids=["1.1", "1.0"])
def test_bad_hint_is_500_and_never_leaves(field, request_bytes):
    outcome = run(hint(field), request_bytes)

    assert 1 == len(outcome.sends)
    assert "HTTP/1.1 500 Internal Server Error" == outcome.status


def test_hints_do_not_outlive_a_client_that_left():
    outcome = run(hint(LINK), channel=RecordingChannel(error=ClientDisconnected("gone")))

    assert "gone" == str(outcome.exchange.failure)
