"""What is refused, dropped or put up with is counted."""

import pytest

from greenserve.errors import ProtocolError
from greenserve.protocol.leniency import Leniency
from greenserve.status import COLUMNS


def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


def read(environ, start_response):
    environ["wsgi.input"].read()
    return hello(environ, start_response)


def test_every_refusal_of_what_was_sent_has_a_column():
    """408 and 503 are counted where time and room are kept."""
    statuses = {refusal.status for refusal in ProtocolError.__subclasses__()} - {408, 503}

    assert [] == [status for status in statuses if f"refused_{status}" not in COLUMNS]


def test_every_leniency_has_a_column():
    assert [] == [name for name in Leniency._fields if f"used_{name}" not in COLUMNS]


def test_refused_head_is_counted_by_its_status(serve, stage):
    client = serve(hello)

    client.send(b"GET / HTTP/3.0\r\nHost: a\r\n\r\n")
    client.receive()

    assert 1 == stage.row["refused_505"]


def test_refused_content_is_counted_by_its_status(serve, stage):
    client = serve(read)

    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n")
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert 1 == stage.row["refused_400"]


def test_content_that_finds_no_room_beside_that_of_others_is_counted(serve, stage):
    client = serve(read, spool_memory=0, spool_limit=4)

    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")
    answer = client.receive()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert 1 == stage.row["contents_turned_away"]
    assert 0 == stage.row["requests_turned_away"]


def test_dropped_fields_are_counted(serve, stage):
    client = serve(hello)

    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX_A: one\r\nProxy: two\r\nConnection: close\r\n\r\n")
    client.receive()

    assert 2 == stage.row["dropped_fields"]


@pytest.mark.parametrize(
    ("setting", "head"),
    [
        ({"permit_obsolete_folding": True}, b"GET / HTTP/1.1\r\nHost: a\r\nX-A: one\r\n two\r\n"),
        ({"strip_header_spaces": True}, b"GET / HTTP/1.1\r\nHost: a\r\nX-A : one\r\n"),
        ({"permit_unconventional_http_method": True}, b"M" * 40 + b" / HTTP/1.1\r\nHost: a\r\n"),
        ({"permit_unconventional_http_version": True}, b"GET / HTTP/2.0\r\nHost: a\r\n"),
        ({"casefold_http_method": True}, b"get / HTTP/1.1\r\nHost: a\r\n"),
        ({"header_map": "dangerous"}, b"GET / HTTP/1.1\r\nHost: a\r\nX_A: one\r\n"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_leniency_is_off_unless_asked_for_and_counted_when_used(serve, stage, setting, head):
    (name,) = setting
    strict, lenient = serve(hello), serve(hello, **setting)

    for client in (strict, lenient):
        client.send(head + b"Connection: close\r\n\r\n")
    strict.receive()
    answer = lenient.receive()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert 1 == stage.row[f"used_{name}"]
