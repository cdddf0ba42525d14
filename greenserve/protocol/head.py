"""The head of a request: bytes to a finished environ, in one pass.

This is the seam for a compiled twin: bytes go in, and everything that costs
time per request happens below one function. One reading of every head, the
strict one: what two servers could read differently is refused (RFC 9112
section 11.2).
"""

import re
from typing import Any

from greenserve.errors import BadRequest, FieldsTooLarge, MethodNotImplemented, TargetTooLong, VersionNotSupported
from greenserve.protocol.fields import EVERY_NAME, OWS, TEXT, Names, is_token, join_repeated
from greenserve.protocol.framing import decide_framing, parse_connection, parse_expectation
from greenserve.protocol.limits import Limits
from greenserve.protocol.request import RequestHead
from greenserve.protocol.target import fill_target, settle_host

#: Looked up instead of matched. Any other token is a method too, in whatever case (RFC 9110 section 9.1).
_USUAL_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}

_is_version = re.compile(r"HTTP/[0-9]\.[0-9]").fullmatch

#: RFC 9112 section 2.2 asks us to ignore at least one: old clients send it after a form.
MAX_EMPTY_LINES = 2

#: A handshake record of any TLS version.
_TLS = b"\x16\x03"


def parse_request_head(
    buffer: bytes | bytearray, base_environ: dict[str, Any], limits: Limits, seen: int = 0, names: Names = EVERY_NAME
) -> RequestHead | None:
    """Return the head at the front of *buffer*, or None if it is not complete yet.

    *base_environ* is copied; it has no CONTENT_* and no HTTP_* key. *seen* is
    how many bytes of the same head an earlier call was shown: they are not
    searched again, so a head that comes byte by byte costs no more than its length.
    *names* knows which fields this peer may send.

    Raises ProtocolError, as early as the bytes allow. Nothing after it may be parsed.
    """
    start = skip_empty_lines(buffer) if buffer[:1] == b"\r" else 0
    end = buffer.find(b"\r\n\r\n", max(start, seen - 3) if seen else start)
    if end < 0:
        refuse_early(buffer, start, seen, limits)
        return None
    lines = split_lines(buffer[start:end], limits)
    method, target, http11 = parse_request_line(lines[0], limits)
    environ = base_environ.copy()
    environ["REQUEST_METHOD"] = method
    environ["RAW_URI"] = target
    environ["SERVER_PROTOCOL"] = "HTTP/1.1" if http11 else "HTTP/1.0"
    authority = fill_target(environ, method, target)
    dropped = fill_fields(environ, lines, names)
    settle_host(environ, authority, http11)
    length, chunked = decide_framing(environ, http11, limits)
    persistent, upgrade = parse_connection(environ, http11)
    waits = parse_expectation(environ, http11) and (chunked or bool(length))
    return RequestHead(environ, end + 4, method, http11, length, chunked, persistent, waits, upgrade, dropped)


def skip_empty_lines(buffer: bytes | bytearray) -> int:
    """Return where the request line begins.

    Raises BadRequest after more empty lines than a clumsy client sends.
    """
    start = 0
    while buffer.startswith(b"\r\n", start):
        start += 2
    if start > 2 * MAX_EMPTY_LINES:
        raise BadRequest(f"more than {MAX_EMPTY_LINES} empty lines stand before the request line (RFC 9112 section 2.2)")
    return start


def refuse_early(buffer: bytes | bytearray, start: int, seen: int, limits: Limits) -> None:
    """Raise for what no further byte could make right, that nobody has to wait for a deadline.

    Looks at no byte twice but for the request line and the last field line, which have limits.
    """
    size = len(buffer) - start
    if size == 0 or (size == 1 and buffer[start] == 0x0D):
        return
    refuse_other_protocols(buffer, start)
    if buffer.count(b"\n", seen) != buffer.count(b"\r\n", max(seen - 1, 0)):
        raise BadRequest("a line of the head ends with LF alone, not CRLF (RFC 9112 section 2.2)")
    line_end = buffer.find(b"\r\n", start, start + limits.line + 2) if limits.line else start
    if line_end < 0 and size > limits.line + 1:
        raise TargetTooLong(f"the request line is longer than the limit of {limits.line} bytes")
    if size > limits.head:
        raise FieldsTooLarge(f"the head is longer than the limit of {limits.head} bytes")


def refuse_other_protocols(buffer: bytes | bytearray, start: int) -> None:
    """Raise BadRequest if the first byte cannot begin a method."""
    if buffer.startswith(_TLS, start):
        raise BadRequest("the client speaks TLS, but this listener is plain HTTP")
    if buffer[start] != 0x16 and not is_token(chr(buffer[start])):
        raise BadRequest(f"{bytes(buffer[start : start + 20])!r} does not begin a request of HTTP/1.1 (RFC 9112 section 3)")


def split_lines(head: bytes | bytearray, limits: Limits) -> list[str]:
    """Return the lines of a complete head: the request line, then field lines.

    Raises TargetTooLong, FieldsTooLarge, or BadRequest for a control character anywhere.
    """
    lines = head.decode("latin-1").split("\r\n")
    if len(lines[0]) > limits.line > 0:
        raise TargetTooLong(f"the request line is {len(lines[0])} bytes long, more than the limit of {limits.line}")
    if len(head) + 4 > limits.head:
        raise FieldsTooLarge(f"the head is longer than the limit of {limits.head} bytes")
    if len(lines) - 1 > limits.fields > 0:
        raise FieldsTooLarge(f"the head has {len(lines) - 1} fields, more than the limit of {limits.fields}")
    # A short head has no long line: most heads need not be measured line by line.
    if len(head) > limits.field_size > 0 and max(map(len, lines[1:]), default=0) > limits.field_size:
        raise FieldsTooLarge(f"a field line is longer than the limit of {limits.field_size} bytes")
    # What is left when text is taken away must be the line ends just split at, of two bytes each, and nothing else.
    if len(head.translate(None, TEXT)) != 2 * (len(lines) - 1):
        raise BadRequest(explain_control(lines))
    return lines


def explain_control(lines: list[str]) -> str:
    """Return which line has the byte that may not be there, without what may be a secret in it."""
    found = [line.encode("latin-1").translate(None, TEXT) for line in lines]
    number = next(number for number, controls in enumerate(found) if controls)
    where = f"field {lines[number].partition(':')[0][:40]!r}" if number else "request line"
    what = f"the {where} has {found[number][:1]!r} in it"
    return f"{what}: a control character, or a line end that is not CRLF (RFC 9112 section 2.2)"


def parse_request_line(line: str, limits: Limits) -> tuple[str, str, bool]:
    """Return method, target, and whether the client understands HTTP/1.1.

    Raises BadRequest, MethodNotImplemented for an absurdly long method, or VersionNotSupported.
    """
    try:
        method, target, version = line.split(" ")
    except ValueError:
        raise BadRequest(
            f"{line[:40]!r} is not a method, a target and a version, each after one space (RFC 9112 section 3)"
        ) from None
    if method not in _USUAL_METHODS:
        check_method(method, limits)
    return method, target, version == "HTTP/1.1" or parse_version(version, method)


def check_method(method: str, limits: Limits) -> None:
    if not is_token(method):
        raise BadRequest(f"method {method[:40]!r} is not a token (RFC 9110 section 9.1)")
    if len(method) > limits.method > 0:
        raise MethodNotImplemented(f"method {method[:40]!r} is longer than {limits.method} bytes")


def parse_version(version: str, method: str) -> bool:
    """Return whether *version* is HTTP/1.1 or a later 1.x, which is read as 1.1 (RFC 9110 section 2.5)."""
    if not _is_version(version):
        raise BadRequest(f"version {version[:40]!r} is not HTTP/1.0 or HTTP/1.1 (RFC 9112 section 2.3)")
    if method == "PRI":
        raise BadRequest("the client speaks HTTP/2 without having asked, but this listener is HTTP/1.1 (RFC 9113 section 3.4)")
    if version[5] != "1":
        raise VersionNotSupported(f"{version} is not HTTP/1.0 or HTTP/1.1")
    return version != "HTTP/1.0"


def fill_fields(environ: dict[str, Any], lines: list[str], names: Names) -> int:
    """Set a key for each field that the application may see; return how many it may not.

    The inner loop of the server: read it beside Names.
    """
    dropped = 0
    known = names.keys.get
    fields = iter(lines)
    next(fields)
    for line in fields:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(explain_line(line))
        key = known(name) or names.learn(name)
        if key is None:
            dropped += 1
        elif key in environ:
            join_repeated(environ, key, value.strip(OWS))
        else:
            environ[key] = value.strip(OWS)
    return dropped


def explain_line(line: str) -> str:
    """Return what is wrong with a field line that has no colon, without what may be a secret in it."""
    if line[:1] in OWS:
        return "a field is folded over several lines (RFC 9112 section 5.2)"
    return f"a field line of {len(line)} bytes has no colon (RFC 9112 section 5)"
