"""From what an application answered to the bytes of a response head.

Checks everything before it is written: no status, name or value from an
application can start a second response. Decides how the content ends and
whether the connection outlives it (RFC 9112 section 6).
"""

import re
from collections.abc import Iterable
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

from greenserve.errors import BadResponse

Fields = list[tuple[str, str]]

_STATUS = re.compile(r"([1-9][0-9]{2}) [\t\x20-\x7e\x80-\xff]*", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
#: What may not stand in a value: control characters but tab, and what latin-1 cannot spell.
_NOT_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)

#: What belongs to one connection is the server's to say (PEP 3333, "Other HTTP Features").
_HOP_BY_HOP = frozenset({"transfer-encoding", "te", "trailer", "upgrade", "proxy-authenticate", "proxy-authorization"})

#: Left out without a word: we write them ourselves.
_OURS = frozenset({"connection", "keep-alive"})


#: What frames or describes the final response has no place in an interim one.
_NOT_IN_HINTS = _HOP_BY_HOP | _OURS | {"content-length"}

EVENT_STREAM = "text/event-stream"


class BodyForm(Enum):
    """How the content of a response is told apart from what follows it."""

    #: There is none, whatever the application yields: HEAD, 1xx, 204, 304.
    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    #: The end of the connection is the end of the content: HTTP/1.0, length unknown.
    CLOSE = "close"


class ResponseHead(NamedTuple):
    """A response head, ready to send, and what must follow it."""

    head: bytes
    code: int
    form: BodyForm
    #: Bytes of content announced; None unless `form` is LENGTH.
    content_length: int | None
    persistent: bool


class Answer(NamedTuple):
    """What an application gave to start_response, checked."""

    status: str
    code: int
    fields: Fields
    content_length: int | None
    wants_close: bool
    names: frozenset[str]


def check_answer(status: object, fields: object) -> Answer:
    """Return *status* and *fields* checked, without the connection's own fields.

    `Connection` and `Keep-Alive` are left out, since applications written for
    other servers set them in good faith; `Connection: close` is honoured. Any
    other hop-by-hop field is refused.

    Raises BadResponse, naming the culprit.
    """
    code = _check_status(status)
    if not isinstance(fields, list):
        raise BadResponse(f"the response fields are a {type(fields).__name__}, not a list of (name, value)")
    kept: Fields = []
    seen: set[str] = set()
    length: int | None = None
    wants_close = False
    for field in fields:
        name, value = _check_field(field)
        lowered = name.lower()
        if lowered in _OURS:
            wants_close = wants_close or (lowered == "connection" and "close" in value.lower())
            continue
        if lowered == "content-length":
            length = _check_length(value, length)
        elif lowered in _HOP_BY_HOP:
            raise BadResponse(f"response field {name!r} is hop-by-hop: only the server may send it (PEP 3333)")
        seen.add(lowered)
        kept.append((name, value))
    assert isinstance(status, str)
    return Answer(status, code, kept, length, wants_close, frozenset(seen))


def _check_status(status: object) -> int:
    if not isinstance(status, str):
        raise BadResponse(f"status {status!r} is a {type(status).__name__}, not a str such as '200 OK'")
    match = _STATUS.fullmatch(status)
    if match is None:
        raise BadResponse(f"status {status[:80]!r} is not three digits, a space and a reason")
    code = int(match[1])
    if code < 200:
        raise BadResponse(f"status {status[:80]!r} is interim: an application answers with a final one")
    return code


def _check_field(field: object) -> tuple[str, str]:
    if not isinstance(field, tuple) or len(field) != 2:
        raise BadResponse(f"response field {field!r:.80} is not a (name, value) tuple")
    name, value = field
    if not isinstance(name, str) or not isinstance(value, str):
        raise BadResponse(f"response field {name!r:.80}: {value!r:.80} is not a pair of str")
    if _NAME.fullmatch(name) is None:
        raise BadResponse(f"response field name {name[:80]!r} is not a token (RFC 9110 section 5.1)")
    if _NOT_IN_VALUE.search(value) is not None:
        raise BadResponse(f"response field {name!r} has a character that no field value can have: {value[:80]!r}")
    return name, value


def _check_length(value: str, before: int | None) -> int:
    if before is not None:
        raise BadResponse("the response has two Content-Length fields")
    if _DIGITS.fullmatch(value) is None:
        raise BadResponse(f"response Content-Length {value[:80]!r} is not a number")
    return int(value)


def make_response_head(
    answer: Answer, *, method: str, http11: bool, persistent: bool, known_length: int | None, date: str
) -> ResponseHead:
    """Return the head to send for *answer*, with the framing it needs.

    *persistent* says whether the connection could go on; *known_length* is the
    length in bytes of the whole content where that is known already; *date*
    is the value of the Date field.
    """
    form, length = _choose_form(answer, method, http11, known_length)
    persistent = persistent and not answer.wants_close and form is not BodyForm.CLOSE
    # Content-Length may not stand in a 204 at all, and in a 205 only as 0 (RFC 9110 sections 8.6, 15.3.6).
    announced = answer.content_length is not None and answer.code not in (204, 205)
    lines = [f"HTTP/1.1 {answer.status}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in answer.fields if announced or name.lower() != "content-length"]
    if "date" not in answer.names:
        lines.append(f"Date: {date}\r\n")
    if "server" not in answer.names:
        lines.append("Server: greenserve\r\n")
    if form is BodyForm.CHUNKED:
        lines.append("Transfer-Encoding: chunked\r\n")
    if length is None and _streams_events(answer):
        # Proxies that follow nginx hold back what is short unless they are asked not to.
        lines.append("X-Accel-Buffering: no\r\n")
    if length is not None and not announced:
        lines.append(f"Content-Length: {length}\r\n")
    if not persistent:
        lines.append("Connection: close\r\n")
    elif not http11:
        lines.append("Connection: keep-alive\r\n")
    lines.append("\r\n")
    return ResponseHead("".join(lines).encode("latin-1"), answer.code, form, length, persistent)


def _streams_events(answer: Answer) -> bool:
    """Return whether *answer* is a stream of events, and says nothing about buffering itself."""
    if "x-accel-buffering" in answer.names or "content-type" not in answer.names:
        return False
    return any(name.lower() == "content-type" and value.lower().startswith(EVENT_STREAM) for name, value in answer.fields)


def _choose_form(answer: Answer, method: str, http11: bool, known_length: int | None) -> tuple[BodyForm, int | None]:
    """Return how the content ends and the length to announce (RFC 9112 section 6.3)."""
    if answer.code in (204, 304):
        return BodyForm.NONE, None
    if answer.code == 205:
        return BodyForm.NONE, 0
    length = known_length if answer.content_length is None else answer.content_length
    if method == "HEAD":
        # No content is no news about what GET would send: announce nothing.
        return BodyForm.NONE, length or None
    if length is not None:
        return BodyForm.LENGTH, length
    return (BodyForm.CHUNKED, None) if http11 else (BodyForm.CLOSE, None)


def encode_chunk(block: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the pieces of a chunk; *block* itself is not copied."""
    return b"%x\r\n" % len(block), block, b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"

#: Seconds after which a client that met a full server may try again.
RETRY_AFTER = "1"

#: What a client that asked for another WebSocket may ask for.
UPGRADE = [("Upgrade", "websocket"), ("Connection", "upgrade"), ("Sec-WebSocket-Version", "13")]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def make_early_hints(fields: Iterable[object]) -> bytes:
    """Return an interim response with *fields*, checked like those of a final one (RFC 8297).

    Raises BadResponse, naming the culprit.
    """
    lines = ["HTTP/1.1 103 Early Hints\r\n"]
    for field in fields:
        name, value = _check_field(field)
        if name.lower() in _NOT_IN_HINTS:
            raise BadResponse(f"field {name!r} cannot stand in an early hint (RFC 8297)")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")


def make_refusal(code: int, *, method: str, date: str, persistent: bool = False, text: str = "") -> bytes:
    """Return a whole response that says *code* and no more, but for when to come back after 503, or as what after 426.

    What was wrong stands in the log, not here: the client learns the status,
    unless *text* is what it can do about it.
    """
    phrase = HTTPStatus(code).phrase
    content = (text or f"{code} {phrase}\n").encode()
    fields = [("Content-Type", "text/plain; charset=utf-8")]
    if code == HTTPStatus.SERVICE_UNAVAILABLE:
        fields.append(("Retry-After", RETRY_AFTER))
    answer = check_answer(f"{code} {phrase}", fields)
    if code == HTTPStatus.UPGRADE_REQUIRED:
        # Ours to say, and not an application's: RFC 9110 section 15.5.22, RFC 6455 section 4.4.
        answer.fields.extend(UPGRADE)
    made = make_response_head(answer, method=method, http11=True, persistent=persistent, known_length=len(content), date=date)
    return made.head + (b"" if made.form is BodyForm.NONE else content)
