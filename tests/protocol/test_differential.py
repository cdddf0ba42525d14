"""What we accept, other parsers read as we do, or it is listed why not.

`make fuzz` runs the same with more inputs and another seed:
FUZZ_INPUTS and FUZZ_SEED say how many and which.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenserve.protocol.head import parse_request_head
from tests.protocol.cases import read_corpus
from tests.protocol.differences import DIFFERENCES
from tests.protocol.mutation import mutate
from tests.protocol.readers import OTHERS, Reading, Request, find_differences, read_ours

INPUTS = int(os.environ.get("FUZZ_INPUTS", "50000"))
SEED = int(os.environ.get("FUZZ_SEED", "9112"))

#: An input is worth more if something of it is accepted, so most come from what is.
ACCEPTED_WEIGHT = 4
LONGEST_SEED = 2000

#: So many examples of unexplained differences are shown.
SHOWN = 10


def read_seeds():
    cases = [*read_corpus(), *read_corpus("accept") * ACCEPTED_WEIGHT]
    return [case.values[0].raw for case in cases if len(case.values[0].raw) <= LONGEST_SEED]


def find_unexplained(parse, raw):
    """Return what other readers say of *raw* that no line of DIFFERENCES explains."""
    ours = read_ours(parse, raw)
    if not ours.requests:
        return []
    said = [(reader, words) for reader, read in OTHERS.items() for words in find_differences(ours, read(raw))]
    return [(raw, *each) for each in said if not any(difference.explains(*each) for difference in DIFFERENCES)]


def test_mutated_requests_are_read_alike_or_it_is_listed_why(parse):
    accepted = 0
    unexplained = []

    for raw in mutate(read_seeds(), SEED, INPUTS):
        accepted += bool(read_ours(parse, raw).requests)
        unexplained += find_unexplained(parse, raw)
        if len(unexplained) >= SHOWN:
            break

    assert [] == unexplained, f"FUZZ_SEED={SEED}"
    assert accepted > INPUTS / 10


methods = st.sampled_from([b"GET", b"POST", b"get", b"M-SEARCH", b"OPTIONS"])
targets = st.sampled_from([b"/", b"*", b"/a?b", b"http://b/c", b"//x", b"/%00", b"/#", b"a:80", b"/\xe9", b"/ b"])
versions = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b""])
names = st.sampled_from(
    [
        b"Host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"Upgrade",
        b"Expect",
        b"X-A",
        b"X_A",
        b"Cookie",
        b"Trailer",
    ]
)
before_colons = st.sampled_from([b"", b"", b"", b"", b" ", b"\t", b"\r\n "])
words = st.sampled_from([b"a", b"5", b"0", b"05", b"+5", b"chunked", b"identity", b"close", b"upgrade", b"100-continue", b"\xff"])
spaces = st.sampled_from([b" ", b"", b"\t", b" ,", b", ", b";", b"\r\n ", b"\x0b"])
ends = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n"])
contents = st.lists(
    st.sampled_from([b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n", b"X: y\r\n", b"\r\n", b"hello", b"5;a=b\r\nhello\r\n", b"GET / "])
).map(b"".join)


@st.composite
def fields(draw):
    return b"".join([draw(names), draw(before_colons), b":", draw(spaces), draw(words), draw(spaces), draw(words), draw(ends)])


@st.composite
def messages(draw):
    line = b" ".join([draw(methods), draw(targets), draw(versions)])
    usual = draw(
        st.sampled_from([b"", b"Host: a\r\n", b"Host: a\r\nContent-Length: 5\r\n", b"Host: a\r\nTransfer-Encoding: chunked\r\n"])
    )
    return line + draw(ends) + usual + b"".join(draw(st.lists(fields(), max_size=3))) + b"\r\n" + draw(contents)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(parts=st.lists(messages(), min_size=1, max_size=2))
def test_composed_requests_are_read_alike_or_it_is_listed_why(parse, parts):
    assert [] == find_unexplained(parse, b"".join(parts))


@pytest.mark.parametrize("case", read_corpus("accept"))
def test_accepted_cases_are_read_alike_or_it_is_listed_why(parse, case):
    if case.limits == case.limits.__class__():
        assert [] == find_unexplained(parse, case.raw)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: f"{difference.reader}-{difference.says[:40]}")
def test_listed_difference_is_still_there(difference):
    ours = read_ours(parse_request_head, difference.example)
    theirs = OTHERS[difference.reader](difference.example)

    assert [True] == [difference.explains(difference.reader, said) for said in find_differences(ours, theirs)]


def test_other_readers_are_heard():
    """A comparison that cannot fail would prove nothing."""
    here = Request("GET", "/", {}, b"")

    differences = [
        *find_differences(Reading([here], ""), Reading([], "no")),
        *find_differences(Reading([here], ""), Reading([], "")),
        *find_differences(Reading([here], ""), Reading([here._replace(content=b"x")], "")),
    ]

    assert ["refuses: no", "waits", "content: b'x' for b''"] == differences
