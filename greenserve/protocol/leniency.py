"""What a user may ask us to put up with: repairs of a head before its one strict reading.

Each is off by default and named as gunicorn names it. None of them is a branch
in the parser: the head is rewritten to what a strict client would have sent,
and read by the rules that hold for everybody. Whoever asks for none pays for none.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from greenserve.errors import BadRequest
from greenserve.protocol.fields import EVERY_NAME, Names
from greenserve.protocol.head import parse_request_head, skip_empty_lines
from greenserve.protocol.limits import Limits
from greenserve.protocol.request import RequestHead

#: What decides where a request ends, or whom it is from: no leniency touches it. A proxy before us
#: that passed on `Transfer-Encoding : chunked` did not read it as we would.
_PROTECTED = (
    rb"(?:connection|content-length|content-type|expect|forwarded|host|keep-alive|path-info|proxy|proxy-[^:\r]*|script-name"
    rb"|te|trailer|transfer-encoding|upgrade"
    # The claims of fields.py.
    rb"|x-forwarded|x-forwarded-[^:\r]*|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|client-ip"
    rb"|x-scheme|x-url-scheme|front-end-https|client-cert|client-cert-chain)"
)

_fold = re.compile(rb"\r\n[ \t]+")
_has_protected_fold = re.compile(rb"\r\n(?i:%b)[ \t]*:[^\r]*\r\n[ \t]" % _PROTECTED).search
_spaced_name = re.compile(rb"(\r\n(?!(?i:%b)[ \t])[!#$%%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]+:" % _PROTECTED)
_underscored_name = re.compile(rb"\r\n[^:_\r]*_[^:\r]*:")
_is_protected = re.compile(rb"(?i:%b)" % _PROTECTED).fullmatch
_later_version = re.compile(rb"\A(?!PRI )([^\r]*) HTTP/[2-9]\.[0-9]\r\n")


class Leniency(NamedTuple):
    """What is put up with, as the settings of the same names say.

    A method is any token to us, so what is unconventional about one is its
    length; that is for Limits to say, and only counted here.
    """

    permit_obsolete_folding: bool = False
    strip_header_spaces: bool = False
    permit_unconventional_http_method: bool = False
    permit_unconventional_http_version: bool = False
    casefold_http_method: bool = False
    header_map: str = "drop"


STRICT = Leniency()


def unfold(head: bytes) -> bytes:
    """Return *head* with each folded line joined to the one before it (RFC 9112 section 5.2)."""
    return head if _has_protected_fold(head) else _fold.sub(b" ", head)


def strip_spaces(head: bytes) -> bytes:
    """Return *head* without the white space between field names and their colons."""
    return _spaced_name.sub(rb"\1:", head)


def replace_underscores(head: bytes) -> bytes:
    """Return *head* with hyphens in the names of fields that have underscores."""
    return _underscored_name.sub(_replace_underscores, head)


def find_underscored(head: bytes) -> list[str]:
    """Return the names of fields that have underscores."""
    return [match[0][2:-1].decode("latin-1") for match in _underscored_name.finditer(head)]


def _replace_underscores(match: re.Match[bytes]) -> bytes:
    name = match[0][2:-1].replace(b"_", b"-")
    return match[0] if _is_protected(name) else b"\r\n" + name + b":"


def lower_version(head: bytes) -> bytes:
    """Return *head* with HTTP/1.1 in place of a version with a higher major number; HTTP/2 proper stays what it is."""
    return _later_version.sub(rb"\1 HTTP/1.1\r\n", head)


def fold_case(head: bytes) -> bytes:
    """Return *head* with its method in upper case."""
    method, space, rest = head.partition(b" ")
    return method.upper() + space + rest


#: In this order, which no two of them depend on.
_REPAIRS: dict[str, Callable[[bytes], bytes]] = {
    "permit_obsolete_folding": unfold,
    "strip_header_spaces": strip_spaces,
    "permit_unconventional_http_version": lower_version,
    "casefold_http_method": fold_case,
}

#: A longer method has passed only because it was permitted.
_USUAL_METHOD = Limits().method

Parse = Callable[[bytes | bytearray, dict[str, Any], Limits, int, Names], RequestHead | None]


class LenientParser:
    """Called like *parse*, whose place it takes; *count* is told the name of each leniency that a head needed."""

    __slots__ = ("_count", "_parse", "_refuses_underscores", "_repairs")

    def __init__(self, leniency: Leniency, count: Callable[[str], None], parse: Parse = parse_request_head) -> None:
        self._parse = parse
        self._count = count
        self._repairs = {name: repair for name, repair in _REPAIRS.items() if getattr(leniency, name)}
        self._refuses_underscores = leniency.header_map == "refuse"
        if leniency.header_map == "dangerous":
            self._repairs["header_map"] = replace_underscores

    def __call__(
        self,
        buffer: bytes | bytearray,
        base_environ: dict[str, Any],
        limits: Limits,
        seen: int = 0,
        names: Names = EVERY_NAME,
    ) -> RequestHead | None:
        start = skip_empty_lines(buffer) if buffer[:1] == b"\r" else 0
        end = buffer.find(b"\r\n\r\n", max(start, seen - 3)) + 4
        if end < 4:
            return self._parse(buffer, base_environ, limits, seen, names)
        head = self._parse(self._repair(bytes(buffer[start:end]), names), base_environ, limits, 0, names)
        if head is None:
            return None
        if len(head.method) > _USUAL_METHOD:
            self._count("permit_unconventional_http_method")
        head.size = end
        return head

    def _repair(self, head: bytes, names: Names) -> bytes:
        if self._refuses_underscores and not all(map(names.permits, find_underscored(head))):
            raise BadRequest("a field name has an underscore in it, which header_map refuses")
        for name, repair in self._repairs.items():
            repaired = repair(head)
            if repaired != head:
                self._count(name)
            head = repaired
        return head
