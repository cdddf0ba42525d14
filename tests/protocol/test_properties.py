"""What holds for every request, not only for those somebody thought of."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenserve.errors import ProtocolError
from greenserve.protocol.fields import SINGLETONS, TEXT
from greenserve.protocol.limits import Limits
from tests.protocol.cases import read_corpus
from tests.protocol.driver import drive

# The fixture hands out a function, which one example cannot spoil for the next.
bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

names = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^`|~", min_size=1, max_size=20).map(lambda name: "X-" + name)
values = st.binary(max_size=40).map(lambda raw: bytes(byte for byte in raw if byte in TEXT).decode("latin-1").strip(" \t"))
cuts = st.lists(st.integers(1, 60), max_size=40)
corpus = [parameter.values[0].raw for parameter in read_corpus()]


def cut(raw, sizes):
    """Return *raw* in pieces of *sizes*, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(raw[:size])
        raw = raw[size:]
    return [*pieces, raw]


@st.composite
def damaged(draw):
    """A request of the corpus in which some bytes were replaced, added or lost."""
    raw = bytearray(draw(st.sampled_from(corpus)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b":", b" ", b"0", b"\0", b"\xe9"])
        )
    return bytes(raw)


@bounded
@given(fields=st.dictionaries(names, values, max_size=10))
def test_fields_come_through_unchanged(parse, fields):
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    expected = {}
    for name, value in fields.items():
        key = "HTTP_" + name.upper().replace("-", "_")
        expected[key] = f"{expected[key]}, {value}" if key in expected else value

    head = parse(f"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode("latin-1"), {}, Limits())

    assert expected == {key: head.environ[key] for key in expected}
    assert not SINGLETONS & expected.keys()


@bounded
@given(chunks=st.lists(st.binary(min_size=1, max_size=50), max_size=8), sizes=cuts)
def test_chunked_content_comes_through_any_cut(parse, chunks, sizes):
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body

    driver = drive(parse, cut(raw + b"GET", sizes), Limits())

    assert [b"".join(chunks)] == [request.content for request in driver.requests]
    assert b"GET" == driver.buffer


@bounded
@given(raw=damaged())
def test_damage_is_accepted_awaited_or_refused_and_nothing_else(parse, raw):
    driver = drive(parse, [raw], Limits())

    assert driver.refusal is None or isinstance(driver.refusal, ProtocolError)


@bounded
@given(raw=damaged(), sizes=cuts)
def test_cuts_do_not_change_what_is_read(parse, raw, sizes):
    whole = drive(parse, [raw], Limits())

    pieces = drive(parse, cut(raw, sizes), Limits())

    assert whole.requests == pieces.requests
    assert (whole.refusal is None) == (pieces.refusal is None)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_long_head_in_pieces(parse, size):
    """As many fields as are allowed, each byte searched once."""
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 80) for number in range(99))
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"

    driver = drive(parse, [raw[at : at + size] for at in range(0, len(raw), size)], Limits())

    assert 1 == len(driver.requests)
