"""What the leniencies promise beside the outcomes in corpus/leniency."""

import pytest

from greenserve.protocol.fields import EVERY_NAME, Names
from greenserve.protocol.leniency import Leniency, LenientParser
from greenserve.protocol.limits import Limits
from tests.protocol.cases import read_corpus

EVERYTHING = Leniency(True, True, True, True, True, "dangerous")

#: Nothing in these is what a leniency would change: no case of a method, no name with an underscore.
unchanged = [
    each
    for each in read_corpus("accept")
    if not each.values[0].used and b"_" not in each.values[0].raw and not each.values[0].raw[:1].islower()
]


@pytest.fixture
def lenient(parse):
    """A parser that puts up with everything, and the leniencies it needed."""
    used = []
    return LenientParser(EVERYTHING, used.append, parse), used


def test_size_is_that_of_the_head_as_it_came(lenient):
    parser, _ = lenient
    raw = b"\r\nget / HTTP/1.1\r\nHost: a\r\nX-A : one\r\n \t two\r\n\r\n"

    assert len(raw) == parser(raw + b"GET", {}, Limits()).size


def test_each_leniency_is_counted_once_for_a_head(lenient):
    parser, used = lenient

    parser(b"get / HTTP/1.1\r\nHost: a\r\nX-A : 1\r\nX-B : 2\r\n\r\n", {}, Limits())

    assert ["strip_header_spaces", "casefold_http_method"] == used


@pytest.mark.parametrize("case", unchanged)
def test_what_was_strict_is_read_as_before(parse, lenient, case):
    parser, _ = lenient

    assert parse(case.raw, {}, case.limits) == parser(case.raw, {}, case.limits)


@pytest.mark.parametrize("line", [b"X" * 60000, b"_" * 60000, b"X-A" + b" " * 60000, b"X: " + b"\r\n " * 20000])
def test_repairs_are_linear(lenient, line):
    """Tried at ten times the size that a limit allows; a quadratic one would take minutes."""
    parser, _ = lenient
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n\r\n"

    repaired = parser._repair(raw, EVERY_NAME)

    assert len(repaired) <= len(raw)


@pytest.mark.security("underscore vs hyphen collisions dropped/refused")
@pytest.mark.parametrize(
    "claim",
    [
        "X-Forwarded-User",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "True-Client-IP",
        "Client-IP",
        "X-Scheme",
        "X-URL-Scheme",
        "Front-End-HTTPS",
        "Client-Cert",
        "Client-Cert-Chain",
    ],
)
def test_no_header_map_lets_a_client_claim_what_its_proxy_does(claim):
    """The proxy drops the claim as it is spelled, and passes on what is spelled otherwise."""
    parser = LenientParser(Leniency(header_map="dangerous"), str)
    raw = f"GET / HTTP/1.1\r\nHost: a\r\n{claim.replace('-', '_')}: 192.0.2.1\r\n\r\n".encode()

    head = parser(raw, {}, Limits(), 0, Names(believed=True))

    assert {"HTTP_HOST"} == {key for key in head.environ if key.startswith("HTTP_")}


def test_names_that_a_proxy_may_send_pass_every_header_map():
    names = Names(permitted=["SCRIPT_NAME"])
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /shop\r\n\r\n"

    for header_map in ("drop", "refuse", "dangerous"):
        parser = LenientParser(Leniency(header_map=header_map), str)
        head = parser(raw, {}, Limits(), 0, names)
        assert "/shop" == head.environ["HTTP_SCRIPT_NAME"]
