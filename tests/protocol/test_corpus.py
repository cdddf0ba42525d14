"""Each case of the corpus comes to its outcome, however the network cuts it."""

import pytest

from tests.protocol.cases import ROOT, read_corpus
from tests.protocol.driver import drive

NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"


@pytest.mark.parametrize("case", read_corpus())
def test_case_read_whole(parse, case):
    case.check(case.drive(parse, [case.raw]))


@pytest.mark.parametrize("case", read_corpus())
def test_case_read_in_two_pieces(parse, case):
    """At every byte of a short case; a long one is cut where it is most interesting, near both ends."""
    cuts = [cut for cut in range(1, len(case.raw)) if cut < 300 or cut > len(case.raw) - 50]

    for cut in cuts:
        case.check(case.drive(parse, [case.raw[:cut], case.raw[cut:]]))


@pytest.mark.parametrize("case", read_corpus())
def test_case_read_byte_by_byte(parse, case):
    case.check(case.drive(parse, [case.raw[at : at + 1] for at in range(len(case.raw))]))


@pytest.mark.parametrize("case", read_corpus("accept"))
def test_request_after_an_accepted_one_is_understood(parse, case):
    driver = drive(case.parser(parse), [case.raw + NEXT], case.limits._replace(head=65536, line=0, field_size=0))

    case.check(driver)
    assert ["/next"] == [request.head.environ["PATH_INFO"] for request in driver.requests[1:]]
    assert b"" == driver.buffer


@pytest.mark.parametrize("case", read_corpus("refuse"))
def test_nothing_is_parsed_after_a_refused_request(parse, case):
    """CVE-2024-49768: what follows a framing error may be the content of what was refused."""
    driver = case.drive(parse, [case.raw, NEXT, NEXT])

    case.check(driver)


def test_every_case_has_both_files():
    files = [path for path in ROOT.rglob("*") if path.suffix in (".http", ".json")]

    assert [] == [path.name for path in files if not (path.with_suffix(".http").exists() and path.with_suffix(".json").exists())]
