"""What parse_request_head promises beside the outcomes of the corpus."""

import pytest

from greenserve.errors import BadRequest
from greenserve.protocol import fields, target
from greenserve.protocol.limits import Limits

RAW = b"GET /a?b HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n"


class WatchedBuffer(bytearray):
    """Notes from where on it is searched for the end of the head."""

    def find(self, what, start=0, *end):
        if what == b"\r\n\r\n":
            self.searched_from = start
        return super().find(what, start, *end)


def test_base_environ_stays_as_it_was(parse):
    base = {"wsgi.version": (1, 0)}

    parse(RAW, base, Limits())

    assert {"wsgi.version": (1, 0)} == base


@pytest.mark.security("no state between keep-alive requests")
def test_environ_is_fresh_for_each_request(parse):
    first = parse(RAW, {}, Limits())
    second = parse(RAW, {}, Limits())

    assert first.environ == second.environ
    assert first.environ is not second.environ


def test_bytes_and_bytearray_read_the_same(parse):
    assert parse(RAW, {}, Limits()) == parse(bytearray(RAW), {}, Limits())


def test_buffer_is_left_alone(parse):
    buffer = bytearray(RAW + b"next")

    head = parse(buffer, {}, Limits())

    assert RAW + b"next" == buffer
    assert len(RAW) == head.size


def test_size_counts_the_empty_lines_before(parse):
    assert len(RAW) + 4 == parse(b"\r\n\r\n" + RAW, {}, Limits()).size


def test_environ_values_are_native_latin_1_strings(parse):
    head = parse(b"GET /%FF HTTP/1.1\r\nHost: a\r\nX-A: \xff\r\n\r\n", {}, Limits())

    assert {str} == {type(value) for value in head.environ.values()}
    assert ("/\xff", "\xff") == (head.environ["PATH_INFO"], head.environ["HTTP_X_A"])


def test_bytes_seen_before_are_not_searched_again(parse):
    """But for the three that may be the beginning of the end."""
    buffer = WatchedBuffer(RAW[:-2])

    assert parse(buffer, {}, Limits(), 20) is None
    assert 17 == buffer.searched_from


def test_end_of_head_is_found_across_what_was_seen(parse):
    for seen in range(len(RAW)):
        assert parse(RAW, {}, Limits(), seen) is not None


def test_pipelined_requests_do_not_count_against_the_limit(parse):
    assert parse(RAW * 10, {}, Limits(head=len(RAW))) is not None


@pytest.mark.parametrize(
    "line",
    [
        b"Cookie: session=secret\0",
        b"Authorization Bearer secret",
        b"Cookie: a=b\r\n session=secret: c",
        b"Authorization: secret\r\nAuthorization: secret",
        b"Authorization: secret\nX: b",
    ],
)
def test_refusal_does_not_tell_a_secret(parse, line):
    with pytest.raises(BadRequest) as refusal:
        parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n\r\n", {}, Limits())

    assert "secret" not in str(refusal.value)


def test_refusal_shows_only_the_beginning_of_what_was_sent(parse):
    with pytest.raises(BadRequest) as refusal:
        parse(b"GET " + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", {}, Limits())

    assert len(str(refusal.value)) < 200


def test_strangers_cannot_fill_the_table_of_names(parse, monkeypatch):
    monkeypatch.setattr(fields, "MAX_KEYS", len(fields.EVERY_NAME.keys) + 2)

    for number in range(10):
        parse(b"GET / HTTP/1.1\r\nHost: a\r\nTable-Test-%d: b\r\n\r\n" % number, {}, Limits())

    assert fields.MAX_KEYS == len(fields.EVERY_NAME.keys)


def test_long_names_are_not_remembered(parse):
    name = b"Long-" * 20 + b"name"

    head = parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + name + b": b\r\n\r\n", {}, Limits())

    assert "b" == head.environ["HTTP_" + "LONG_" * 20 + "NAME"]
    assert name.decode() not in fields.EVERY_NAME.keys


def test_strangers_cannot_fill_the_table_of_hosts(parse, monkeypatch):
    monkeypatch.setattr(target, "_known_hosts", set())
    monkeypatch.setattr(target, "MAX_KNOWN_HOSTS", 2)

    for number in range(10):
        parse(b"GET / HTTP/1.1\r\nHost: a%d\r\n\r\n" % number, {}, Limits())

    assert {"a0", "a1"} == target._known_hosts


def test_refused_host_is_refused_again(parse):
    for _ in range(2):
        with pytest.raises(BadRequest, match="not a host"):
            parse(b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", {}, Limits())
