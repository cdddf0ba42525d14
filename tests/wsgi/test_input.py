"""`wsgi.input` as a file: it ends where the content ends."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenserve.errors import BadRequest, ClientDisconnected
from greenserve.protocol.content import ChunkedContent, FixedContent
from greenserve.protocol.limits import Limits
from greenserve.wsgi.input import Input


def open_input(*pieces, length=None, welcome=None):
    """Return an Input whose client sends *pieces* one by one and then leaves."""
    buffer = bytearray()
    coming = iter(pieces)

    def receive():
        piece = next(coming, None)
        if piece is None:
            raise ClientDisconnected("gone")
        buffer.extend(piece)

    decoder = ChunkedContent(Limits()) if length is None else FixedContent(length)
    return Input(decoder, buffer, receive, welcome)


def pieces_of(content, size):
    return [content[start : start + size] for start in range(0, len(content), size)]


@given(
    content=st.binary(max_size=200).map(lambda content: content.replace(b"\1", b"\n")),
    piece=st.integers(1, 50),
    calls=st.lists(st.tuples(st.sampled_from(["read", "readline", "readlines"]), st.integers(-1, 60)), max_size=20),
)
def test_it_reads_as_a_file_does(content, piece, calls):
    stream = open_input(*pieces_of(content, piece), length=len(content))
    file = io.BytesIO(content)

    for method, size in calls:
        assert getattr(file, method)(size) == getattr(stream, method)(size)
    assert file.read() == stream.read()


def test_nothing_is_read_past_the_end():
    stream = open_input(b"helloGET /next", length=5)

    assert [b"hello", b"", b""] == [stream.read(), stream.read(), stream.readline()]
    assert stream.finished


def test_lines_are_iterated():
    assert [b"a\n", b"b\n", b"c"] == list(open_input(b"a\nb", b"\nc", length=5))


def test_chunks_are_read_across_their_borders():
    stream = open_input(b"3\r\nab\n\r\n", b"4\r\ncd\ne\r\n0\r\n\r\n")

    assert [b"ab\n", b"cd\n", b"e", b""] == [stream.readline() for _ in range(4)]


def test_reading_waits_no_longer_than_it_must():
    stream = open_input(b"abc", length=10)

    assert b"abc" == stream.read(3)


def test_a_client_that_leaves_early_makes_reading_raise():
    stream = open_input(b"abc", length=10)

    with pytest.raises(ClientDisconnected):
        stream.read()
    with pytest.raises(ClientDisconnected):
        stream.read()


def test_what_was_refused_once_is_refused_for_ever():
    stream = open_input(b"zz\r\n", b"0\r\n\r\n")

    with pytest.raises(BadRequest):
        stream.read(1)
    with pytest.raises(BadRequest):
        stream.readline()


def test_100_is_sent_once_and_on_the_first_read():
    sent = []
    stream = open_input(b"a", b"b", length=2, welcome=lambda: sent.append(1))

    assert stream.awaits_welcome
    stream.read(1)
    stream.read()

    assert [1] == sent
    assert not stream.awaits_welcome


def test_discard_gives_up_at_its_limit():
    stream = open_input(*[b"x" * 10] * 10, length=100)

    assert not stream.discard(30)
    assert stream.received < 60


def test_discard_finishes_what_is_short():
    assert open_input(b"abc", b"de", length=5).discard(100)


@pytest.mark.parametrize("method", ["read", "readline"])
def test_nothing_is_lost_to_a_timeout_of_the_applications_own(method):
    """It may give up waiting for a while, and ask again."""
    buffer = bytearray()
    coming = iter([b"ab", b"cd", TimeoutError("mine"), b"e\n"])

    def receive():
        piece = next(coming)
        if isinstance(piece, Exception):
            raise piece
        buffer.extend(piece)

    stream = Input(FixedContent(6), buffer, receive)
    with pytest.raises(TimeoutError, match="mine"):
        getattr(stream, method)()

    assert b"a" == stream.read(1)
    assert b"bcde\n" == getattr(stream, method)()


def test_more_may_be_asked_for_than_a_machine_can_count():
    assert b"abc" == open_input(b"abc", length=3).read(1 << 80)
