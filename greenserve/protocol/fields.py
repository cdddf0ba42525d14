"""Field lines: what a name and a value may be, and where they go in environ.

Knows single fields only; what a field means for the message is in framing.
"""

import re
import sys
from collections.abc import Iterable
from typing import Any

from greenserve.errors import BadRequest

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
is_token = re.compile(TOKEN).fullmatch

#: The only white space around a value or between list members (RFC 9110 section 5.6.3).
#: str.strip() without it also takes NBSP, NEL and friends, which a proxy before us does not.
OWS = " \t"

#: Every byte that may stand in a head beside the CRLF that ends each line.
TEXT = bytes(byte for byte in range(256) if byte == 0x09 or (byte >= 0x20 and byte != 0x7F))

#: What tells the application who asks, for what, or how long it is: two of them
#: are two readings of one request, so the second is refused. These are the
#: request fields that RFC 9110 does not define as a list, with RFC 6454's Origin
#: and the key of RFC 6455.
SINGLETONS = {
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "HTTP_AUTHORIZATION",
    "HTTP_CONTENT_LOCATION",
    "HTTP_CONTENT_RANGE",
    "HTTP_DATE",
    "HTTP_FROM",
    "HTTP_HOST",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_RANGE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_MAX_FORWARDS",
    "HTTP_ORIGIN",
    "HTTP_PROXY_AUTHORIZATION",
    "HTTP_RANGE",
    "HTTP_REFERER",
    "HTTP_SEC_WEBSOCKET_KEY",
    "HTTP_SEC_WEBSOCKET_VERSION",
    "HTTP_USER_AGENT",
}

#: What a trailer must not carry, because it would have to be known before the
#: content (RFC 9110 section 6.5.1).
FORBIDDEN_IN_TRAILERS = (
    # framing, and the connection
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
    # routing
    | {"host", "max-forwards", "via"}
    # request modifiers
    | {"cache-control", "expect", "pragma", "range"}
    | {"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"}
    # authentication
    | {"authorization", "cookie", "proxy-authorization", "set-cookie"}
    # content format
    | {"content-encoding", "content-range", "content-type"}
    # what is believed of a proxy
    | {"forwarded", "x-client-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip"}
    # httpoxy
    | {"proxy"}
)

#: Where PEP 3333 breaks its own rule of the HTTP_ prefix.
_UNPREFIXED = {"HTTP_CONTENT_LENGTH": "CONTENT_LENGTH", "HTTP_CONTENT_TYPE": "CONTENT_TYPE"}

#: What a proxy tells of the client before it: from anybody else it is a lie, or a mistake. All of X-Forwarded-*,
#: for some proxies also say so who has logged in; and Client-Cert of RFC 9440.
_is_claim = re.compile(
    r"forwarded|x-forwarded(-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|client-ip"
    r"|x-scheme|x-url-scheme|front-end-https|client-cert(-chain)?"
).fullmatch

_USUAL_NAMES = (
    "Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Connection Content-Encoding "
    "Content-Length Content-Type Cookie DNT Date Expect Forwarded From Host If-Match If-Modified-Since If-None-Match "
    "If-Range If-Unmodified-Since Keep-Alive Max-Forwards Origin Pragma Priority Range Referer Sec-Fetch-Dest "
    "Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-WebSocket-Extensions "
    "Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version TE Traceparent Tracestate Trailer Transfer-Encoding "
    "Upgrade Upgrade-Insecure-Requests User-Agent Via X-Forwarded-For X-Forwarded-Host X-Forwarded-Port "
    "X-Forwarded-Proto X-Real-IP X-Request-ID X-Requested-With"
)

MAX_KEYS = 1024
MAX_LEARNT_NAME = 64


class Names:
    """The environ key for each field name, as far as a peer may send it.

    Made once for all peers that may send the same. `keys` holds every spelling
    met so far: a look-up instead of a match and two replacements saves 1.3 us
    on a browser's head. Bounded, for strangers write it.
    """

    __slots__ = ("_believed", "_claims", "_permitted", "keys", "last_claim", "table")

    def __init__(self, believed: bool = True, claims: Iterable[str] = (), permitted: Iterable[str] = ()) -> None:
        """*believed*: this peer may speak for others, in the fields that are known for it and in *claims*.

        *permitted* are names with an underscore that it may send, and so nobody the same name with a hyphen.
        """
        self._believed = believed
        self._claims = {claim.lower() for claim in claims}
        self._permitted = {name.lower() for name in permitted}
        self.keys: dict[str, str] = {}
        #: The claim that was last kept from the application, that a person may be told.
        self.last_claim = ""
        #: What the compiled parser makes of `keys` for itself.
        self.table: Any = None
        self._learn_usual_names()

    def learn(self, name: str) -> str | None:
        """Return the environ key for a field *name* that is not in `keys`, or None if the application must not see it.

        An underscore would become the same key as a hyphen, so that a client could
        write a field that the proxy before us believes to have removed. `Proxy`
        would become HTTP_PROXY, which HTTP clients obey (httpoxy).

        Raises BadRequest if *name* is no token.
        """
        if not is_token(name):
            raise BadRequest(explain_name(name))
        lower = name.lower()
        if lower == "proxy" or ("_" in name and lower not in self._permitted):
            return None
        if self._permitted and "-" in name and lower.replace("-", "_") in self._permitted:
            return None
        if not self._believed and (lower in self._claims or _is_claim(lower)):
            self.last_claim = name
            return None
        key = "HTTP_" + name.upper().replace("-", "_")
        key = _UNPREFIXED.get(key, key)
        if len(self.keys) < MAX_KEYS and len(name) <= MAX_LEARNT_NAME:
            # Interned, as the names are that applications ask for: environ need not compare them.
            key = self.keys[name] = sys.intern(key)
        return key

    def permits(self, name: str) -> bool:
        """Return whether this peer may send *name* in spite of its underscore."""
        return name.lower() in self._permitted

    def _learn_usual_names(self) -> None:
        """Fill `keys` before a stranger can, in the two spellings that clients and proxies use."""
        for name in _USUAL_NAMES.split():
            self.learn(name)
            self.learn(name.lower())
        self.last_claim = ""


#: For a peer that may send every field, those that speak for others too.
EVERY_NAME = Names()


def explain_name(name: str) -> str:
    """Return what is wrong with a field *name* that is no token."""
    if not name:
        return "a field line has no name before its colon (RFC 9112 section 5)"
    if name[0] in OWS:
        return "a field is folded over several lines (RFC 9112 section 5.2)"
    if name[-1] in OWS:
        return f"white space stands between the field name {name[:40]!r} and its colon (RFC 9112 section 5.1)"
    return f"field name {name[:40]!r} is not a token (RFC 9110 section 5.1)"


def join_repeated(environ: dict[str, Any], key: str, value: str) -> None:
    """Add the value of a field that environ already has (RFC 9110 section 5.3).

    Cookie is no list, but clients of HTTP/2 split it, and a proxy may hand us the pieces (RFC 9113 section 8.2.3).

    Raises BadRequest for a field that must not be repeated, even with an equal value.
    """
    if key in SINGLETONS:
        name = key.removeprefix("HTTP_").replace("_", "-").title()
        raise BadRequest(f"{name} stands more than once in the head (RFC 9110 section 5.3)")
    separator = "; " if key == "HTTP_COOKIE" else ", "
    environ[key] += separator + value


def parse_trailer(line: bytes) -> tuple[str, str]:
    """Return name and value of one line of a trailer section.

    Raises BadRequest if it is no field line, or one that belongs in a head.
    """
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon:
        raise BadRequest(f"trailer line {name[:40]!r} has no colon (RFC 9112 section 5)")
    if not is_token(name):
        raise BadRequest(explain_name(name))
    if line.translate(None, TEXT):
        raise BadRequest(f"trailer {name[:40]!r} has a control character in its value (RFC 9110 section 5.5)")
    if name.lower().replace("_", "-") in FORBIDDEN_IN_TRAILERS:
        raise BadRequest(f"{name[:40]} must not stand in a trailer section (RFC 9110 section 6.5.1)")
    return name, value.strip(OWS)
