"""Leaving HTTP for WebSocket (RFC 6455): who may, what is said, and where frames end.

Only so much of WebSocket as the server itself needs. Messages, pings and close
codes are the business of the library that the application uses.
"""

import base64
import binascii
import hashlib
from typing import Any

from greenserve.errors import BadRequest, UpgradeRequired
from greenserve.protocol.fields import OWS, is_token
from greenserve.protocol.request import RequestHead

VERSION = "13"
KEY_SIZE = 16
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

GOING_AWAY = 1001
NORMAL = 1000
INTERNAL_ERROR = 1011

_CLOSE = 0x8

#: An answer to the handshake that has no end after so many bytes is not one.
MAX_ANSWER = 65536


# The handshake.


def asks_for_websocket(head: RequestHead) -> bool:
    """Return whether this is a handshake. Any other wish to upgrade is ignored (RFC 9110 section 7.8).

    Raises BadRequest or UpgradeRequired for a handshake that no library would accept (RFC 6455 section 4.2.1).
    """
    environ = head.environ
    if head.upgrade != "websocket" or head.method != "GET" or "HTTP_SEC_WEBSOCKET_KEY" not in environ:
        return False
    if head.chunked or head.content_length:
        raise BadRequest("a WebSocket handshake has content: nobody can tell where the frames begin")
    check_version(environ.get("HTTP_SEC_WEBSOCKET_VERSION", ""))
    check_key(environ["HTTP_SEC_WEBSOCKET_KEY"])
    check_subprotocols(environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL"))
    return True


def check_version(version: str) -> None:
    if version != VERSION:
        raise UpgradeRequired(f"Sec-WebSocket-Version is {version[:40]!r}, and only {VERSION} is spoken (RFC 6455 section 4.4)")


def check_key(key: str) -> None:
    try:
        size = len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != KEY_SIZE:
        raise BadRequest(f"Sec-WebSocket-Key is not {KEY_SIZE} bytes in base64 (RFC 6455 section 4.2.1)")


def check_subprotocols(value: str | None) -> None:
    """Return if *value* lists tokens: applications answer with one of them, and a library may fall over any other."""
    if value is not None and not all(is_token(name.strip(OWS)) for name in value.split(",")):
        raise BadRequest(f"Sec-WebSocket-Protocol {value[:40]!r} is not a list of tokens (RFC 6455 section 11.3.4)")


def make_acceptance(environ: dict[str, Any]) -> bytes:
    """Return the answer that accepts a handshake, without a subprotocol or an extension."""
    key = environ["HTTP_SEC_WEBSOCKET_KEY"].encode("ascii")
    proof = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % proof
    )


# Frames.


def make_close(code: int) -> bytes:
    """Return a server's close frame (RFC 6455 section 5.5.1)."""
    return bytes((0x80 | _CLOSE, 2)) + code.to_bytes(2, "big")


def frame_rest(head: bytes | bytearray) -> int | None:
    """Return how many bytes of a frame follow *head*, None if that is not all of its head (RFC 6455 section 5.2)."""
    if len(head) < 2:
        return None
    short = head[1] & 0x7F
    size = 2 + {126: 2, 127: 8}.get(short, 0)
    if len(head) < size:
        return None
    return (short if size == 2 else int.from_bytes(head[2:size], "big")) + (4 if head[1] & 0x80 else 0)


class FrameCursor:
    """Where a server stands in what it sends: in the answer to the handshake, in a frame, or between two."""

    __slots__ = ("_answer", "_head", "_rest", "finished", "status")

    def __init__(self) -> None:
        self._answer: bytearray | None = bytearray()
        self._head = bytearray()
        #: Bytes that are missing of the present frame.
        self._rest = 0
        #: The status of the answer to the handshake, "-" before it.
        self.status = "-"
        #: A close frame was begun; what follows is not for us to say.
        self.finished = False

    @property
    def between_frames(self) -> bool:
        return self._answer is None and not self._head and not self._rest

    def advance(self, data: bytes) -> None:
        """Note that *data* is sent."""
        position = 0 if self._answer is None else self._pass_answer(self._answer, data)
        while position < len(data):
            if self._rest:
                step = min(self._rest, len(data) - position)
                self._rest -= step
                position += step
            else:
                self._head.append(data[position])
                position += 1
                self._pass_head()

    def _pass_head(self) -> None:
        rest = frame_rest(self._head)
        if rest is not None:
            self.finished = self.finished or self._head[0] & 0x0F == _CLOSE
            self._rest = rest
            self._head.clear()

    def _pass_answer(self, answer: bytearray, data: bytes) -> int:
        """Return where in *data* frames begin. They never do after an answer that refuses the handshake."""
        before = len(answer)
        answer += data
        end = answer.find(b"\r\n\r\n")
        if end < 0 or not answer.startswith(b"HTTP/1.1 101 "):
            self.status = status_in(answer)
            del answer[MAX_ANSWER:]
            return len(data)
        self.status = status_in(answer)
        self._answer = None
        return end + 4 - before


def status_in(answer: bytearray) -> str:
    """Return the status of an *answer* that may not be whole, "-" if it is none."""
    line, end, _ = answer.partition(b"\r\n")
    version, _, status = line.decode("latin-1").partition(" ")
    return status if end and version == "HTTP/1.1" else "-"
