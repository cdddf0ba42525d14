"""Where the content of a request ends, and whether the connection outlives it.

Decides from an already parsed head and reads no bytes. The order of the rules
is RFC 9112 section 6.3; changing it is how request smuggling is made.
"""

import re
from typing import Any, NamedTuple

from greenserve.errors import BadRequest, ContentTooLarge, ExpectationFailed, TransferCodingUnknown
from greenserve.protocol.fields import OWS, is_token
from greenserve.protocol.limits import Limits

# isdecimal() accepts the digits of every script; the wire has only ten.
_is_number = re.compile(r"[0-9]+").fullmatch

#: 10^18 bytes are more than anyone sends, and int() of a longer run costs what a stranger likes.
MAX_LENGTH_DIGITS = 18


class Framing(NamedTuple):
    """What follows the head: `content_length` bytes, or chunks, or (None, False) nothing."""

    content_length: int | None
    chunked: bool


_NOTHING = Framing(None, False)


def decide_framing(environ: dict[str, Any], http11: bool, limits: Limits) -> Framing:
    """Return how the content of this request is delimited.

    Raises BadRequest, TransferCodingUnknown or ContentTooLarge; there is no repair.
    """
    codings = environ.get("HTTP_TRANSFER_ENCODING")
    length = environ.get("CONTENT_LENGTH")
    if codings is not None:
        if not http11:
            raise BadRequest("Transfer-Encoding in a request of HTTP/1.0, which has none (RFC 9112 section 6.1)")
        if length is not None:
            raise BadRequest("both Transfer-Encoding and Content-Length: two readings of one request (RFC 9112 section 6.3)")
        check_codings(codings)
        return Framing(None, True)
    if length is not None:
        return Framing(parse_content_length(length, limits), False)
    return _NOTHING


def check_codings(value: str) -> None:
    """Return if the transfer codings are exactly `chunked`.

    Raises BadRequest if `chunked` is not once and last, since then nobody knows
    where the content ends, and TransferCodingUnknown for any other coding.
    """
    codings = [coding.strip(OWS).lower() for coding in value.split(",")]
    if codings == ["chunked"]:
        return
    if not all(is_token(coding) for coding in codings):
        raise BadRequest(f"Transfer-Encoding {value[:40]!r} is not a list of codings (RFC 9112 section 6.1)")
    if "chunked" in codings[:-1]:
        raise BadRequest(f"Transfer-Encoding {value[:40]!r}: chunked must come once and last (RFC 9112 section 6.1)")
    raise TransferCodingUnknown(f"Transfer-Encoding {value[:40]!r}: only chunked is understood (RFC 9112 section 6.1)")


def parse_content_length(value: str, limits: Limits) -> int:
    """Return the length in bytes that the head announces.

    A list of equal numbers ("5, 5") is refused, though RFC 9110 section 8.6
    would let us repair it: a proxy before us may have read it otherwise.

    Raises BadRequest for anything but one run of ASCII digits, ContentTooLarge past the limit.
    """
    if not _is_number(value):
        raise BadRequest(f"Content-Length {value[:40]!r} is not a number (RFC 9110 section 8.6)")
    if len(value) > MAX_LENGTH_DIGITS:
        raise ContentTooLarge(f"Content-Length {value[:40]!r} has more than {MAX_LENGTH_DIGITS} digits")
    length = int(value)
    if limits.content is not None and length > limits.content:
        raise ContentTooLarge(f"Content-Length {length} is more than the limit of {limits.content} bytes")
    return length


def parse_connection(environ: dict[str, Any], http11: bool) -> tuple[bool, str | None]:
    """Return whether the connection persists, and the protocol the client would rather speak (RFC 9112 section 9.3).

    That protocol is the first one the client lists, in lower case, or None. HTTP/1.0 cannot upgrade.
    """
    value = environ.get("HTTP_CONNECTION")
    if value is None:
        return http11, None
    if value in ("keep-alive", "Keep-Alive"):
        return True, None
    options = {option.strip(OWS) for option in value.lower().split(",")}
    persistent = "close" not in options and (http11 or "keep-alive" in options)
    if not http11 or "upgrade" not in options:
        return persistent, None
    protocol = environ.get("HTTP_UPGRADE", "").partition(",")[0].strip(OWS).lower()
    return persistent, protocol or None


def parse_expectation(environ: dict[str, Any], http11: bool) -> bool:
    """Return whether the client waits for 100 (Continue) before it sends its content.

    HTTP/1.0 has no expectations, so there the field means nothing (RFC 9110 section 10.1.1).

    Raises ExpectationFailed for any other expectation.
    """
    value = environ.get("HTTP_EXPECT")
    if value is None or not http11:
        return False
    if value.lower() != "100-continue":
        raise ExpectationFailed(f"Expect {value[:40]!r}: only 100-continue can be met (RFC 9110 section 10.1.1)")
    return True
