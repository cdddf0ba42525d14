"""Every request we accept that h11 or httptools refuses, or understands differently; each with its reason.

The differential test fails for a difference that is not listed, and for a line
that its own example does not show any more. A difference in where a request
ends would let one be smuggled past the other reader: read `why` as an answer
to that.
"""

import re
from typing import NamedTuple


class Difference(NamedTuple):
    reader: str
    #: A pattern for what the other reader says, as find_differences() puts it.
    says: str
    #: A request that shows it.
    example: bytes
    why: str

    def explains(self, reader: str, said: str) -> bool:
        return reader == self.reader and re.match(self.says, said) is not None


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"

DIFFERENCES = [
    Difference(
        "h11",
        "refuses: no request line received",
        GET + b"\r\n" + GET,
        "An empty line before a request line is to be ignored (RFC 9112 section 2.2); h11 takes it for the end of a head.",
    ),
    Difference(
        "h11",
        "fields: HTTP_HOST .* for ['\"]",
        b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "The host of a target in absolute form replaces Host (RFC 9112 section 3.2.2); h11 leaves that to its user.",
    ),
    Difference(
        "h11",
        "fields: HTTP_TRANSFER_ENCODING 'chunked' for '(?i:chunked)'$",
        POST + b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
        "The names of transfer codings have no case (RFC 9112 section 7). h11 reads the same framing and lowers the value.",
    ),
    Difference(
        "h11",
        r"refuses: illegal chunk header: bytearray\(b'[0-9A-Fa-f]+[ \\t]*;",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5 ; a = b\r\nhello\r\n0\r\n\r\n",
        "White space around the semicolon of a chunk extension must be parsed and removed (RFC 9112 section 7.1.1).",
    ),
    Difference(
        "httptools",
        "refuses: HttpParserInvalidMethodError: (Invalid method encountered|Expected space after method)",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        "Any token is a method (RFC 9110 section 9.1); llhttp knows a list of them.",
    ),
    Difference(
        "httptools",
        "fields: HTTP_HOST .* for ['\"]",
        b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "The host of a target in absolute form replaces Host (RFC 9112 section 3.2.2); llhttp leaves that to its user.",
    ),
    Difference(
        "httptools",
        "refuses: HttpParserError: Invalid HTTP version",
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "A higher minor version is read as the highest we know (RFC 9110 section 2.5); llhttp knows a list of versions.",
    ),
    Difference(
        "httptools",
        "refuses: HttpParserError: Request has invalid `Transfer-Encoding`",
        POST + b"Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n",
        "White space at both ends is no part of a value (RFC 9110 section 5.5); llhttp does not strip it behind `chunked`.",
    ),
    Difference(
        "httptools",
        "refuses: HttpParserError: Invalid character in chunk (size|extensions)",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5 ; a = b\r\nhello\r\n0\r\n\r\n",
        "White space around the semicolon of a chunk extension must be parsed and removed (RFC 9112 section 7.1.1).",
    ),
    Difference(
        "httptools",
        "refuses: HttpParserError: Data after `Connection: close`",
        b"GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n" + GET,
        "Proxy-Connection was never part of HTTP (RFC 9112 appendix C.2.2); llhttp reads it as Connection.",
    ),
    Difference(
        "httptools",
        "content: b'' for ",
        POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
        "Content stands before whatever protocol an upgrade leads to (RFC 9110 section 7.8), and h11 reads it so; llhttp hands "
        "all that follows the head of an upgrade to its user.",
    ),
]
