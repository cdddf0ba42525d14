"""From what an application answered to the bytes of a response head.

Checks everything before it is written: no status, name or value from an
application can start a second response. Decides how the content ends and
whether the connection outlives it (RFC 9112 section 6).
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from greenserve.errors import BadResponse

Fields = list[tuple[str, str]]

_STATUS = re.compile(r"([1-9][0-9]{2}) [\t\x20-\x7e\x80-\xff]*", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
#: What may not stand in a value: control characters but tab, and what latin-1 cannot spell.
_NOT_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)

#: What a field means to us, as bits of one number.
_DATE, _SERVER, _LENGTH, _HOP_BY_HOP, _CONNECTION, _KEEP_ALIVE = (1 << bit for bit in range(6))

#: Left out without a word: we write them ourselves.
_OURS = _CONNECTION | _KEEP_ALIVE

#: What frames or describes the final response has no place in an interim one.
_NOT_IN_HINTS = _HOP_BY_HOP | _OURS | _LENGTH

_ROLES = {
    "connection": _CONNECTION,
    "content-length": _LENGTH,
    "date": _DATE,
    "keep-alive": _KEEP_ALIVE,
    "server": _SERVER,
    # What belongs to one connection is the server's to say (PEP 3333, "Other HTTP Features").
    "proxy-authenticate": _HOP_BY_HOP,
    "proxy-authorization": _HOP_BY_HOP,
    "te": _HOP_BY_HOP,
    "trailer": _HOP_BY_HOP,
    "transfer-encoding": _HOP_BY_HOP,
    "upgrade": _HOP_BY_HOP,
}

EVENT_STREAM = "text/event-stream"

#: By their text.
_statuses: dict[str, "Status"] = {}
_names: dict[str, "FieldName"] = {}

#: Most blocks of a stream are as long as the one before.
_size_lines: dict[int, bytes] = {}

#: So many names are remembered, as many statuses and sizes, until all are forgotten: an application may make up new ones always.
MAX_REMEMBERED = 256

#: Characters; a longer value is rarely the same in the next answer.
MAX_VALUE_REMEMBERED = 256


class Status:
    """A status that has been checked: its text, its code, and the line that begins a response with it."""

    __slots__ = ("code", "line", "text")

    def __init__(self, text: str, code: int) -> None:
        self.text = text
        self.code = code
        self.line = f"HTTP/1.1 {text}\r\n".encode("latin-1")


class FieldName:
    """A name that has been checked, what it means to us, and the last line that began with it.

    An application gives most fields the same value again and again: that is
    checked once, and becomes bytes once.
    """

    __slots__ = ("length", "line", "role", "text", "value")

    def __init__(self, text: str) -> None:
        self.text = text
        self.role: int = _ROLES.get(text.lower(), 0)
        self.value: str | None = None
        self.line = b""
        #: What the value says, if this is Content-Length.
        self.length = 0

    def make_line(self, value: object) -> bytes:
        """Return the line that gives *value* to the field. Raises BadResponse if no field can have it.

        Whoever asks often compares with `value` first, and takes `line`.
        """
        if not isinstance(value, str):
            raise _not_texts(self.text, value)
        # Its characters, however its class would spell them.
        text = str.__str__(value)
        _check_value(self.text, text)
        if self.role == _LENGTH:
            self.length = _parse_length(text)
        line = f"{self.text}: {text}\r\n".encode("latin-1")
        if len(text) <= MAX_VALUE_REMEMBERED:
            self.value = text
            self.line = line
        return line


_DATE_NAME = FieldName("Date")


class Answer:
    """What an application gave to start_response, checked."""

    __slots__ = ("content_length", "fields", "given", "lines", "status", "wants_close")

    def __init__(self, status: Status, fields: Fields) -> None:
        self.status = status
        self.fields = fields
        #: Bytes of content announced, -1 if they are not.
        self.content_length = -1
        self.wants_close = False
        #: What is among the fields, as bits.
        self.given = 0
        #: The status line and those of the fields, as they leave.
        self.lines = [self.status.line]

    def withdraw_length(self) -> None:
        """Leave Content-Length out: it may not stand in a 204 at all, and in a 205 only as 0 (RFC 9110 sections 8.6, 15.3.6)."""
        self.given &= ~_LENGTH
        self.lines = [line for line in self.lines if not line.lower().startswith(b"content-length:")]

    def takes(self, known: FieldName, value: str) -> bool:
        """Heed what a field tells us; return whether it leaves with the others."""
        role = known.role
        if role & _OURS:
            self.wants_close = self.wants_close or (role == _CONNECTION and "close" in value.lower())
            return False
        if role == _HOP_BY_HOP:
            raise BadResponse(f"response field {known.text!r} is hop-by-hop: only the server may send it (PEP 3333)")
        if role == _LENGTH:
            if self.content_length >= 0:
                raise BadResponse("the response has two Content-Length fields")
            self.content_length = known.length
        self.given |= role
        return True


class ResponseHead:
    """A response head, ready to send, and what must follow it."""

    __slots__ = ("chunked", "code", "content_length", "head", "persistent", "silent")

    def __init__(self, code: int) -> None:
        self.code = code
        self.head = b""
        #: Nothing follows, whatever the application yields: HEAD, 1xx, 204, 304.
        self.silent = True
        #: Bytes of content announced. If there are none (-1), and no chunks either, content ends where the connection does.
        self.content_length = -1
        self.chunked = False
        self.persistent = False


def check_answer(status: object, fields: object) -> Answer:
    """Return *status* and *fields* checked, without the connection's own fields.

    `Connection` and `Keep-Alive` are left out, since applications written for
    other servers set them in good faith; `Connection: close` is honoured. Any
    other hop-by-hop field is refused.

    Raises BadResponse, naming the culprit.
    """
    known_status = _statuses.get(status) if type(status) is str else None
    if known_status is None:
        known_status = _learn_status(status)
    if not isinstance(fields, list):
        raise BadResponse(f"the response fields are a {type(fields).__name__}, not a list of (name, value)")
    answer = Answer(known_status, list(fields))
    lines = answer.lines
    # The loop that every answer goes through: no call for a field that was there before.
    for field in fields:
        if type(field) is not tuple or len(field) != 2:
            field = _make_pair(field)
        name, value = field
        known = _names.get(name) if type(name) is str else None
        if known is None:
            known = _learn_name(name, value)
        line = known.line if type(value) is str and value == known.value else known.make_line(value)
        if known.role and not answer.takes(known, value):
            answer.fields.remove(field)
        else:
            lines.append(line)
    return answer


def _learn_status(status: object) -> Status:
    if not isinstance(status, str):
        raise BadResponse(f"status {status!r} is a {type(status).__name__}, not a str such as '200 OK'")
    match = _STATUS.fullmatch(status)
    if match is None:
        raise BadResponse(f"status {status[:80]!r} is not three digits, a space and a reason")
    code = int(match[1])
    if code < 200:
        raise BadResponse(f"status {status[:80]!r} is interim: an application answers with a final one")
    if len(_statuses) >= MAX_REMEMBERED:
        _statuses.clear()
    text = str.__str__(status)
    known = _statuses[text] = Status(text, code)
    return known


def _learn_name(name: object, value: object) -> FieldName:
    if not isinstance(name, str):
        raise _not_texts(name, value)
    text = str.__str__(name)
    if _NAME.fullmatch(text) is None:
        raise BadResponse(f"response field name {text[:80]!r} is not a token (RFC 9110 section 5.1)")
    if len(_names) >= MAX_REMEMBERED:
        _names.clear()
    known = _names[text] = FieldName(text)
    return known


def _make_pair(field: object) -> tuple[Any, Any]:
    if not isinstance(field, tuple) or len(field) != 2:
        raise BadResponse(f"response field {field!r:.80} is not a (name, value) tuple")
    name, value = field
    return name, value


def _not_texts(name: object, value: object) -> BadResponse:
    return BadResponse(f"response field {name!r:.80}: {value!r:.80} is not a pair of str")


def _check_value(name: str, value: str) -> None:
    # The first two are quick, and true of nearly every value.
    if not (value.isascii() and value.isprintable()) and _NOT_IN_VALUE.search(value) is not None:
        raise BadResponse(f"response field {name!r} has a character that no field value can have: {value[:80]!r}")


def _parse_length(value: str) -> int:
    if _DIGITS.fullmatch(value) is None:
        raise BadResponse(f"response Content-Length {value[:80]!r} is not a number")
    return int(value)


def make_response_head(answer: Answer, method: str, http11: bool, persistent: bool, known_length: int, date: str) -> ResponseHead:
    """Return the head to send for *answer*, which it uses up, with the framing it needs.

    *persistent* says whether the connection could go on; *known_length* is the
    length in bytes of the whole content, or -1; *date* is the value of the
    Date field.
    """
    made = ResponseHead(answer.status.code)
    length = _choose_framing(made, answer, method, http11, known_length)
    if answer.status.code in (204, 205):
        answer.withdraw_length()
    made.persistent = persistent and not answer.wants_close and (made.silent or made.chunked or length >= 0)
    lines = answer.lines
    given = answer.given
    if not given & _DATE:
        lines.append(_DATE_NAME.line if date == _DATE_NAME.value else _DATE_NAME.make_line(date))
    if not given & _SERVER:
        lines.append(b"Server: greenserve\r\n")
    if made.chunked:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if length < 0 and _streams_events(answer):
        # Proxies that follow nginx hold back what is short unless they are asked not to.
        lines.append(b"X-Accel-Buffering: no\r\n")
    if not given & _LENGTH and length >= 0:
        lines.append(f"Content-Length: {length}\r\n".encode("latin-1"))
    if not made.persistent:
        lines.append(b"Connection: close\r\n")
    elif not http11:
        lines.append(b"Connection: keep-alive\r\n")
    lines.append(b"\r\n")
    made.head = b"".join(lines)
    return made


def _streams_events(answer: Answer) -> bool:
    """Return whether *answer* is a stream of events, and says nothing about buffering itself."""
    fields = {name.lower(): value for name, value in answer.fields}
    return "x-accel-buffering" not in fields and fields.get("content-type", "").lower().startswith(EVENT_STREAM)


def _choose_framing(made: ResponseHead, answer: Answer, method: str, http11: bool, known_length: int) -> int:
    """Let *made* say how the content ends, and return the length to announce (RFC 9112 section 6.3)."""
    if answer.status.code in (204, 304):
        return -1
    if answer.status.code == 205:
        return 0
    length = known_length if answer.content_length < 0 else answer.content_length
    if method == "HEAD":
        # No content is no news about what GET would send: announce nothing.
        return length or -1
    made.silent = False
    made.content_length = length
    made.chunked = http11 and length < 0
    return length


def make_size_line(size: int) -> bytes:
    """Return what stands before the *size* bytes of a chunk; `LINE_END` stands behind them."""
    line = _size_lines.get(size)
    if line is None:
        if len(_size_lines) >= MAX_REMEMBERED:
            _size_lines.clear()
        line = _size_lines[size] = f"{size:x}\r\n".encode("latin-1")
    return line


LINE_END = b"\r\n"

LAST_CHUNK = b"0\r\n\r\n"

#: Seconds after which a client that met a full server may try again.
RETRY_AFTER = "1"

#: What a client that asked for another WebSocket may ask for.
UPGRADE = b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def make_early_hints(fields: Iterable[object]) -> bytes:
    """Return an interim response with *fields*, checked like those of a final one (RFC 8297).

    Raises BadResponse, naming the culprit.
    """
    lines = [b"HTTP/1.1 103 Early Hints\r\n"]
    for field in fields:
        name, value = _make_pair(field)
        known = _learn_name(name, value)
        lines.append(known.make_line(value))
        if known.role & _NOT_IN_HINTS:
            raise BadResponse(f"field {name!r} cannot stand in an early hint (RFC 8297)")
    lines.append(b"\r\n")
    return b"".join(lines)


def make_refusal(code: int, method: str, date: str, persistent: bool = False, text: str = "") -> bytes:
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
        answer.lines.append(UPGRADE)
    made = make_response_head(answer, method, True, persistent, len(content), date)
    return made.head if made.silent else made.head + content
