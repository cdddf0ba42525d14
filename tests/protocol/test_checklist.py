"""The lines of the security checklist about reading, each shown by cases of the corpus."""

from fnmatch import fnmatch
from time import perf_counter

import pytest

from greenserve.protocol import fields, head, leniency, target
from greenserve.protocol.content import ChunkedContent
from greenserve.protocol.leniency import Leniency, LenientParser
from greenserve.protocol.limits import Limits
from tests.protocol.cases import read_corpus


def cases(*patterns, outcome=""):
    """Run a test for the cases whose names match; every pattern must match some."""
    everything = read_corpus(*outcome.split())
    found = {pattern: [case for case in everything if fnmatch(case.id, pattern)] for pattern in patterns}
    assert [] == [pattern for pattern, matching in found.items() if not matching]
    return pytest.mark.parametrize("case", [case for matching in found.values() for case in matching])


def check_refused(parse, case, *statuses):
    """Assert that *case* is refused, with one of *statuses*, and that nothing behind it is read."""
    driver = case.drive(parse, [case.raw, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])

    assert driver.refusal is not None
    assert driver.refusal.status in statuses
    assert [] == driver.requests


@pytest.mark.security(
    "digits-only CL (no `+ - _ 0x`, no spaces inside, no list, no duplicates even when equal — or reject)",
)
@cases(
    *(
        f"framing/content-length-{how}"
        for how in ("plus", "minus", "underscore", "hex", "space-inside", "list", "twice-and-equal")
    ),
    *(
        f"framing/content-length-{how}"
        for how in ("list-differs", "twice", "twice-in-two-cases", "comma", "empty", "other-script")
    ),
    *(
        f"framing/content-length-{how}"
        for how in ("decimal", "exponent", "quoted", "semicolon", "text", "trailing-letter", "nbsp")
    ),
)
def test_content_length_is_digits_and_stands_once(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("TE: exactly one final `chunked`, else 400/501 and close")
@cases(
    "framing/coding-*",
    "framing/chunked-then-*",
    "framing/chunked-twice*",
    "framing/chunked-in-two-lines",
    "framing/identity-line-*",
)
def test_transfer_encoding_is_chunked_and_nothing_else(parse, case):
    check_refused(parse, case, 400, 501)


@pytest.mark.security("TE+CL → 400")
@cases("framing/both", "framing/both-*")
def test_both_framings_at_once_are_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("TE on HTTP/1.0 → 400")
@cases("framing/chunked-on-1.0", "framing/identity-on-1.0")
def test_transfer_encoding_of_old_clients_is_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("trim only SP/HTAB around `chunked`")
@cases("framing/chunked-form-feed", "framing/chunked-vertical-tab", "framing/chunked-nbsp", "framing/chunked-next-line")
def test_only_space_and_tab_are_trimmed_around_chunked(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("chunk size: 1–16 hex digits, bounded line, chunk-ext grammar, no bare CR/LF")
@cases(
    "chunked/size-*",
    "chunked/extension-bare-*",
    "chunked/extension-*not-*",
    "chunked/extension-with-lf*",
    "chunked/extension-too-long",
)
def test_chunk_sizes_and_extensions_keep_to_the_grammar(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("chunk data must end CRLF")
@cases("chunked/data-ends-with-*", "chunked/data-too-*")
def test_chunk_data_ends_with_crlf(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("final `0 CRLF CRLF` mandatory")
@cases("chunked/no-last-chunk", "chunked/no-end-of-trailers")
def test_content_without_its_last_chunk_is_not_whole(parse, case):
    driver = case.drive(parse, [case.raw])

    assert [] == driver.requests


@pytest.mark.security("trailers bounded, forbidden fields rejected, never merged into security headers")
@cases("trailers/forbidden-*", "trailers/too-*", "trailers/bare-*", "trailers/name-*", "trailers/no-colon", "trailers/nul")
def test_trailers_are_bounded_and_may_not_say_what_the_head_says(parse, case):
    check_refused(parse, case, 400, 431)


@pytest.mark.security("bare LF anywhere in head → 400")
@cases(
    "fields/*-lf",
    "request-line/bare-lf*",
    "fields/value-with-bare-lf",
    "fields/head-ends-with-lf*",
    "leniency/folding-with-bare-lf",
)
def test_bare_lf_is_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("obs-fold → 400")
@cases("fields/folded-*")
def test_folded_field_is_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("`Name :` → 400")
@cases("fields/name-with-trailing-*", "framing/coding-with-space-before-colon")
def test_white_space_before_a_colon_is_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("NUL/CTL in value → 400")
@cases("fields/value-with-*", "fields/value-ending-in-cr")
def test_control_character_in_a_value_is_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("empty name → 400")
@cases("fields/name-empty", "trailers/name-empty")
def test_empty_name_is_refused(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("exactly one Host, Host grammar (no `/ ? # @ space`)")
@cases("host/missing", "host/twice*", "host/path", "host/question-mark", "host/fragment", "host/user", "host/space", "host/list")
def test_host_stands_once_and_is_a_host(parse, case):
    check_refused(parse, case, 400)


@pytest.mark.security("HTTP/0.9, `HTTP/1.x` x>1, `HTTP/01.1` → 400/505")
@cases(
    "request-line/http09", "version/0.9", "version/2.0", "version/leading-zero", "version/two-minor-digits", "version/lower-case"
)
def test_version_is_one_that_we_know(parse, case):
    """But for HTTP/1.x with x above 1: RFC 9110 section 2.5 has it read as 1.1 (corpus version/1.2-is-read-as-1.1)."""
    check_refused(parse, case, 400, 505)


@pytest.mark.security("target: printable ASCII only, form matches method")
@cases(
    "target/raw-*",
    "target/nbsp",
    "target/tab",
    "target/fragment",
    "target/asterisk-with-get",
    "target/authority-with-get",
    "target/connect*",
)
def test_target_is_printable_and_fits_its_method(parse, case):
    check_refused(parse, case, 400, 501)


@pytest.mark.security("after any framing error close, never parse another request")
@cases("framing/*", "chunked/*", outcome="refuse")
def test_nothing_is_read_after_a_framing_error(parse, case):
    check_refused(parse, case, 400, 413, 501)


@pytest.mark.security("data after CONNECT/Upgrade is not a request")
@cases("target/connect*", "request-line/http2-preface")
def test_nothing_is_read_after_connect(parse, case):
    check_refused(parse, case, 400, 501)


@pytest.mark.security("underscore vs hyphen collisions dropped/refused")
@cases("fields/underscore-*", "leniency/underscores-refused")
def test_name_with_an_underscore_never_becomes_that_of_another_field(parse, case):
    case.check(case.drive(parse, [case.raw]))


@pytest.mark.security(
    "forwarded headers only from allowed peers, strip otherwise "
    "(X-Forwarded-*, Forwarded, X-Client-IP, X-Real-IP, `Proxy`→httpoxy)"
)
@cases("fields/proxy-is-dropped*")
def test_proxy_never_becomes_a_variable_that_clients_obey(parse, case):
    driver = case.drive(parse, [case.raw])

    assert ["HTTP_PROXY" in request.head.environ for request in driver.requests] == [False]


@pytest.mark.security("total head, count, field, URI, body, trailer limits")
@cases("limits/*-too-*", "limits/*-never-ends", "trailers/too-*")
def test_everything_a_client_sends_is_bounded(parse, case):
    check_refused(parse, case, 400, 413, 414, 431)


#: Each is what the expression must look through to its end before it can say no.
LONG = 40_000
TEDIOUS = [
    (fields.is_token, "a" * LONG + " "),
    (head._is_version, "HTTP/" + "1" * LONG),
    (target.is_target, "/" * LONG + " "),
    (target._absolute_form, "http://" + "a" * LONG + "?\n"),
    (target._reg_name_and_port, "a%41" * (LONG // 4) + "%"),
    (target._reg_name_and_port, "a" * LONG + ":" + "1" * LONG),
    (target._ip_literal_and_port, "[" + "1:" * LONG),
    (target._is_ip_future, "[v1." + "a" * LONG),
    (leniency._has_protected_fold, b"\r\nHost" + b" " * LONG),
    (leniency._spaced_name.search, b"\r\nproxy-" + b"a" * LONG + b" " * LONG),
    (leniency._underscored_name.search, b"\r\n" + b"_" * LONG),
    (leniency._later_version.search, b"GET " + b" HTTP/" * (LONG // 6)),
]


@pytest.mark.security("regexes linear")
@pytest.mark.parametrize(("match", "text"), TEDIOUS)
def test_expression_gives_up_in_time_proportional_to_length(match, text):
    """40,000 bytes take microseconds; a quadratic expression would need seconds, an exponential one for ever."""
    began = perf_counter()

    found = match(text)

    assert found is None
    assert perf_counter() - began < 0.5


@pytest.mark.security("no quadratic buffering")
def test_slow_chunks_cost_no_more_than_their_bytes():
    """A MiB in pieces of one byte: what moved the whole buffer for each would take minutes."""
    content = ChunkedContent(Limits())
    buffer = bytearray()
    began = perf_counter()

    for piece in [b"100000\r\n", *([b"x"] * 0x100000), b"\r\n0\r\n\r\n"]:
        buffer += piece
        content.decode(buffer)

    assert content.finished
    assert perf_counter() - began < 30


@pytest.mark.security("no quadratic buffering")
def test_slow_head_costs_no_more_than_its_bytes(parse):
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 90 + b"Cookie: " + b"c" * 8000 + b"\r\n\r\n"
    parsers = [parse, LenientParser(Leniency(True, True), [].append, parse)]
    began = perf_counter()

    for parser in parsers:
        heads = [parser(raw[: end + 1], {}, Limits(), end) for end in range(len(raw))]
        assert [True] == [head is not None for head in heads if head]

    assert perf_counter() - began < 10
