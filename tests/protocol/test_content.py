"""What the decoders promise beside the outcomes of the corpus."""

import pytest

from greenserve.errors import BadRequest
from greenserve.protocol.content import FREE_OVERHEAD, NO_CONTENT, ChunkedContent, FixedContent, content_after
from greenserve.protocol.limits import Limits


@pytest.fixture
def chunked():
    return ChunkedContent(Limits())


def test_fixed_content_leaves_what_follows_it():
    content = FixedContent(5)
    buffer = bytearray(b"helloGET /")

    assert b"hello" == content.decode(buffer)
    assert b"GET /" == buffer
    assert content.finished


def test_fixed_content_counts_what_remains():
    content = FixedContent(5)

    assert b"he" == content.decode(bytearray(b"he"))
    assert (3, False) == (content.remaining, content.finished)


def test_no_content_takes_nothing():
    buffer = bytearray(b"GET /")

    assert b"" == NO_CONTENT.decode(buffer)
    assert b"GET /" == buffer
    assert NO_CONTENT.finished


def test_data_is_handed_over_before_its_chunk_is_complete(chunked):
    buffer = bytearray(b"5\r\nhel")

    assert b"hel" == chunked.decode(buffer)
    assert b"" == buffer
    assert not chunked.finished


def test_chunked_content_leaves_what_follows_it(chunked):
    buffer = bytearray(b"5\r\nhello\r\n0\r\n\r\nGET /")

    assert b"hello" == chunked.decode(buffer)
    assert b"GET /" == buffer
    assert chunked.finished


def test_finished_chunked_content_takes_nothing_more(chunked):
    chunked.decode(bytearray(b"0\r\n\r\n"))
    buffer = bytearray(b"5\r\nhello\r\n")

    assert b"" == chunked.decode(buffer)
    assert b"5\r\nhello\r\n" == buffer


def test_only_an_unfinished_line_stays_in_the_buffer(chunked):
    """So no byte is looked at more often than a line is long, however slowly it all comes."""
    buffer = bytearray()
    kept = 0

    for byte in b"8000;a=b\r\n" + b"x" * 0x8000 + b"\r\n0\r\nX-A: b\r\n\r\n":
        buffer.append(byte)
        chunked.decode(buffer)
        kept = max(kept, len(buffer))

    assert chunked.finished
    assert len("8000;a=b\r") == kept


def test_content_may_be_any_number_of_tiny_chunks(chunked):
    buffer = bytearray(b"1\r\nx\r\n" * 20000)

    assert b"x" * 20000 == chunked.decode(buffer)


def test_extensions_that_outweigh_the_content_are_refused(chunked):
    """A thousand bytes read for each one handed over, without end."""
    chunk = b"1;a=" + b"b" * 1000 + b"\r\nx\r\n"

    with pytest.raises(BadRequest, match="outweigh"):
        chunked.decode(bytearray(chunk * (FREE_OVERHEAD // 1000 + 2)))


def test_signed_chunks_are_never_too_much(chunked):
    """Cloud storage clients sign each chunk of 64 KiB in its extension."""
    chunk = b"10000;chunk-signature=" + b"a" * 64 + b"\r\n" + b"x" * 0x10000 + b"\r\n"

    taken = sum(len(chunked.decode(bytearray(chunk))) for _ in range(300))

    assert 300 * 0x10000 == taken


@pytest.mark.parametrize(
    ("fields", "decoder"),
    [(b"", FixedContent), (b"Content-Length: 5\r\n", FixedContent), (b"Transfer-Encoding: chunked\r\n", ChunkedContent)],
)
def test_head_decides_the_decoder(parse, fields, decoder):
    head = parse(b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n", {}, Limits())

    content = content_after(head, Limits())

    assert decoder is type(content)
    assert (fields == b"") == (content is NO_CONTENT)


def test_buffer_may_grow_after_a_refusal(chunked):
    """While anybody holds a view of it, it cannot; the traceback holds what was looked at."""
    buffer = bytearray(b"3\r\nabc\r\nzz\r\n")

    with pytest.raises(BadRequest) as refusal:
        chunked.decode(buffer)
    buffer += b"more"

    assert buffer.endswith(b"more")
    assert refusal.value.__traceback__ is not None
