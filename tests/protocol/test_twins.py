"""The compiled parser tells the same as the plain one of every input, and reads ordinary requests by itself.

`make fuzz` runs the same with more inputs and another seed.
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from bench.scenarios import BROWSER, POST_16_KIB, POST_CHUNKED, make_request
from greenserve.protocol import head as plain
from greenserve.protocol.fields import Names
from greenserve.protocol.limits import Limits
from tests.protocol.cases import read_corpus
from tests.protocol.mutation import mutate
from tests.protocol.twins import load_twin, tell

INPUTS = int(os.environ.get("FUZZ_INPUTS", "50000"))
SEED = int(os.environ.get("FUZZ_SEED", "9112"))

USUAL = Limits()

#: A longer one is nearly all content, or made for a limit.
LONGEST_SEED = 2000

#: What people's programs send all day.
ORDINARY = {
    "hello": make_request(),
    "browser": make_request("GET", "/a?b=c", *BROWSER),
    "http10": b"GET / HTTP/1.0\r\n\r\n",
    "head": make_request("HEAD"),
    "options": make_request("OPTIONS", "/a/b"),
    "put": make_request("PUT", "/a/b", "Content-Length: 2", content=b"{}"),
    "patch": make_request("PATCH", "/a/b", "Content-Length: 2", "Content-Type: application/json", content=b"{}"),
    "delete": make_request("DELETE", "/a/b?c=%20&d=100%", "Content-Length: 0"),
    "post": POST_16_KIB[:300],
    "chunked": POST_CHUNKED[:300],
    "escaped": make_request("GET", "/caf%C3%A9%2F100%?q=%3F?"),
    "expect": make_request("POST", "/", "Content-Length: 5", "Expect: 100-continue"),
    "upgrade": make_request("GET", "/", "Connection: keep-alive, Upgrade", "Upgrade: websocket"),
    "close": make_request("GET", "/", "Connection: close"),
    "unknown": make_request("GET", "/", "X-Nobody-Knows-This: \xe9", "x-tWo:", "X-Three:\t a\tb \t"),
    "dropped": make_request("GET", "/", "X_Forwarded_For: a", "Proxy: b", "X-Real-IP: c"),
    "pipelined": make_request() * 3,
}

STANDINGS: list[dict[str, Any]] = [
    {},
    {"believed": False},
    {"believed": False, "claims": ["X-A", "Cookie"]},
    {"permitted": ["X_A", "SCRIPT_NAME"]},
]

BASES: list[dict[str, Any]] = [
    {},
    {"wsgi.version": (1, 0), "SCRIPT_NAME": "", "QUERY_STRING": ""},
    {"REQUEST_METHOD": "-", "SERVER_PROTOCOL": "-", "RAW_URI": "-", "PATH_INFO": "-"} | {f"a{i}": i for i in range(40)},
    # Not what the parser was promised; a key that is there already counts as a field that came before.
    {"HTTP_X_A": "before"},
]


class Twins:
    """Both parsers, each with names of its own, so that neither learns from the other."""

    def __init__(self, compiled: Any) -> None:
        self._parsers = load_twin("python"), compiled
        self._names = [[Names(**standing) for standing in STANDINGS] for _ in self._parsers]

    def tell(self, raw: bytes, base: int = 0, limits: Limits = USUAL, seen: int = 0, standing: int = 0) -> list[Any]:
        """Return what each of them tells of *raw*."""
        return [
            tell(parse, raw, BASES[base], limits, seen, names[standing])
            for parse, names in zip(self._parsers, self._names, strict=True)
        ]


@pytest.fixture
def twins(compiled):
    return Twins(compiled)


@pytest.fixture
def asked(monkeypatch):
    """The buffers that the plain parser was asked about."""
    buffers = []
    parse = plain.parse_request_head

    def ask(buffer, *rest):
        buffers.append(bytes(buffer))
        return parse(buffer, *rest)

    monkeypatch.setattr(plain, "parse_request_head", ask)
    return buffers


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_requests_never_need_the_plain_parser(compiled, asked, name):
    raw = ORDINARY[name]
    strangers = Names(believed=False)

    for buffer in (raw, bytearray(raw), bytearray(raw)):
        assert compiled(buffer, {}, USUAL, 0, strangers) is not None
    assert compiled(raw, {}, USUAL, 17) is not None

    assert [] == asked


@pytest.mark.parametrize("case", read_corpus())
def test_twins_tell_the_same_of_a_case(twins, case):
    for size in range(len(case.raw) + 1) if len(case.raw) < LONGEST_SEED else [len(case.raw)]:
        for seen in {0, size // 2, max(size - 1, 0)}:
            one, other = twins.tell(case.raw[:size], limits=case.limits, seen=seen)
            assert one == other


@pytest.mark.parametrize("name", ORDINARY)
def test_twins_tell_the_same_whatever_byte_stands_anywhere(twins, name):
    """In each place of an ordinary head, each byte that is read as something else than those beside it."""
    raw = ORDINARY[name][:250]

    for at in range(len(raw)):
        for byte in b"\0\t\n\r\x1f !#%*,/:?@Az_~\x7f\x80\xff":
            one, other = twins.tell(raw[:at] + bytes([byte]) + raw[at + 1 :])
            assert one == other


@pytest.mark.parametrize(
    "place", [b"G%bT / HTTP/1.1", b"GET /%b HTTP/1.1", b"GET /?%b HTTP/1.1", b"GET / HTTP/1.%b", b"GET / H%b"]
)
def test_twins_tell_the_same_of_each_byte_in_a_request_line(twins, place):
    for byte in range(256):
        one, other = twins.tell(place % bytes([byte]) + b"\r\nHost: a\r\n\r\n")
        assert one == other


@pytest.mark.parametrize("place", [b"X%bA: b", b"X-A%b: b", b"X-A:%bb", b"X-A: b%b", b"Host: a%b", b"Content-Length: 1%b"])
def test_twins_tell_the_same_of_each_byte_in_a_field(twins, place):
    for byte in range(256):
        one, other = twins.tell(b"GET / HTTP/1.1\r\nHost: a\r\n" + place % bytes([byte]) + b"\r\n\r\n")
        assert one == other


@pytest.mark.parametrize("limits", [{"head": -1}, {"line": -1}, {"fields": -2}, {"field_size": 2**70}, {"content": 2**70}])
def test_twins_tell_the_same_under_limits_that_are_no_sizes(twins, limits):
    for raw in ORDINARY.values():
        one, other = twins.tell(raw, limits=Limits(**limits))
        assert one == other


def test_twins_tell_the_same_of_damaged_requests_under_any_limits(twins, asked):
    """With the limits of another listener, another peer, bytes seen before, and whatever was remembered of the last head."""
    chance = random.Random(SEED)
    alone = 0

    for raw in mutate(seeds(), SEED, INPUTS):
        asked.clear()
        one, other = twins.tell(raw, *choose_situation(raw, chance))
        alone += not asked
        assert one == other, f"{raw!r} with FUZZ_SEED={SEED}"

    assert alone > INPUTS / 10


def seeds() -> list[bytes]:
    cases = [case.values[0].raw for case in read_corpus("accept") * 2 + read_corpus()]
    return [raw for raw in cases if len(raw) <= LONGEST_SEED] + list(ORDINARY.values()) * 20


def choose_situation(raw: bytes, chance: random.Random) -> Iterator[Any]:
    """Yield base, limits, seen and standing."""
    yield chance.randrange(len(BASES)) if chance.random() < 0.1 else 0
    yield choose_limits(len(raw), chance) if chance.random() < 0.3 else USUAL
    yield chance.randint(0, len(raw)) if chance.random() < 0.2 else 0
    yield chance.randrange(len(STANDINGS))


def choose_limits(size: int, chance: random.Random) -> Limits:
    return Limits(
        line=chance.choice([0, 13, 14, 15, 20, 8190]),
        fields=chance.choice([0, 1, 2, 3, 12, 13, 100]),
        field_size=chance.choice([0, 7, 12, 20, 60, 8190]),
        head=chance.choice([size, size - 1, size // 2, 65536]),
        content=chance.choice([None, 0, 4, 5, 16384]),
        method=chance.choice([0, 2, 3, 32]),
    )
