"""Who may leave HTTP for WebSocket, and where a server's frames end."""

import pytest

from greenserve.errors import BadRequest, UpgradeRequired
from greenserve.protocol.head import parse_request_head
from greenserve.protocol.limits import Limits
from greenserve.protocol.upgrade import FrameCursor, asks_for_websocket, make_acceptance, make_close

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = "Sec-WebSocket-Version: 13"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket")
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def head_of(*fields, line="GET /chat HTTP/1.1"):
    raw = "\r\n".join([line, "Host: a", *fields, "", ""]).encode("latin-1")
    return parse_request_head(raw, {}, Limits())


def frame(content, first=0x81):
    size = len(content)
    if size < 126:
        return bytes([first, size]) + content
    mark, width = (126, 2) if size <= 0xFFFF else (127, 8)
    return bytes([first, mark]) + size.to_bytes(width, "big") + content


# The handshake.


def test_handshake_of_the_rfc_is_accepted_as_the_rfc_says():
    """RFC 6455 section 1.3."""
    head = head_of(*UPGRADE, KEY, VERSION)

    assert asks_for_websocket(head)
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in make_acceptance(head.environ)


@pytest.mark.parametrize(
    "head",
    [
        head_of(),
        head_of(*UPGRADE),
        head_of(KEY, VERSION),
        head_of("Connection: Upgrade", "Upgrade: h2c", KEY, VERSION),
        head_of(*UPGRADE, KEY, VERSION, line="POST / HTTP/1.1"),
        head_of(*UPGRADE, KEY, VERSION, line="GET / HTTP/1.0"),
    ],
    ids=["plain", "no-key", "no-upgrade", "h2c", "post", "http-1.0"],
)
def test_any_other_wish_is_ignored(head):
    """RFC 9110 section 7.8: such a request is served as if it had not asked."""
    assert not asks_for_websocket(head)


@pytest.mark.security("key/version checks")
@pytest.mark.parametrize("key", ["", "dGhl", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ== x", "\xe9" * 24])
def test_key_that_is_not_sixteen_bytes_is_refused(key):
    head = head_of(*UPGRADE, f"Sec-WebSocket-Key: {key}", VERSION)

    with pytest.raises(BadRequest, match="16 bytes"):
        asks_for_websocket(head)


@pytest.mark.security("key/version checks")
@pytest.mark.parametrize("version", [(), ("Sec-WebSocket-Version: 8",), ("Sec-WebSocket-Version: 013",)])
def test_other_versions_are_refused(version):
    head = head_of(*UPGRADE, KEY, *version)

    with pytest.raises(UpgradeRequired):
        asks_for_websocket(head)


@pytest.mark.security("non-ASCII subprotocol header")
@pytest.mark.parametrize("value", ["ch\xe4t", "chat, ", "a b", "chat;q=1"])
def test_subprotocol_that_is_no_token_is_refused(value):
    head = head_of(*UPGRADE, KEY, VERSION, f"Sec-WebSocket-Protocol: {value}")

    with pytest.raises(BadRequest, match="tokens"):
        asks_for_websocket(head)


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_handshake_with_content_is_refused(framing):
    head = head_of(*UPGRADE, KEY, VERSION, framing)

    with pytest.raises(BadRequest, match="content"):
        asks_for_websocket(head)


# Frames.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 0xFFFF, 0x10000])
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_cursor_is_between_frames_only_at_their_ends(size, step):
    cursor = FrameCursor()
    data = ANSWER + frame(b"x" * size) + frame(b"bye", 0x81)
    ends = {len(ANSWER), len(ANSWER + frame(b"x" * size)), len(data)}
    if size > 1000 and step == 1:
        step = 997

    for start in range(0, len(data), step):
        cursor.advance(data[start : start + step])
        assert (min(start + step, len(data)) in ends) == cursor.between_frames


def test_cursor_knows_what_was_answered():
    cursor = FrameCursor()

    cursor.advance(ANSWER)

    assert "101 Switching Protocols" == cursor.status


def test_answer_that_refuses_has_no_frames_behind_it():
    cursor = FrameCursor()

    cursor.advance(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n\x81\x00")

    assert ("403 Forbidden", False) == (cursor.status, cursor.between_frames)


def test_cursor_knows_that_the_application_has_closed():
    cursor = FrameCursor()

    cursor.advance(ANSWER + frame(b"hello"))
    before = cursor.finished
    cursor.advance(make_close(1000))

    assert (False, True) == (before, cursor.finished)


def test_close_frame_is_unmasked_and_carries_its_code():
    assert b"\x88\x02\x03\xe9" == make_close(1001)
