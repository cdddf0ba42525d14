"""What proxies say of a client: Forwarded (RFC 7239), and the fields that came before it.

Only a peer that the user trusts gets here; from others the parser has dropped
these fields. A proxy adds to what it was sent, so what stands to the right is
nearer to us and known better, and nothing is read beyond the first address
that nobody vouches for. Where claims contradict each other, one of them was
sent by the client past a proxy that does not know the field: both are refused.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from greenserve.errors import BadRequest
from greenserve.protocol.fields import OWS, TOKEN
from greenserve.protocol.mount import mount_below, parse_prefix
from greenserve.protocol.peers import IPAddress, Peers, read_address
from greenserve.protocol.target import check_host

T = TypeVar("T")

#: What can be claimed, in whatever field. All but the host is believed unless the user says otherwise: a proxy that
#: does not know X-Forwarded-Host passes on the client's, and applications write links to that host into letters.
CLAIMS = ("for", "proto", "host", "port", "prefix")

_KEYS = frozenset(
    "HTTP_" + name
    for name in ("FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PORT", "X_FORWARDED_PREFIX", "SCRIPT_NAME")
)

#: A pair, if there is one, and what ends it. No two runs of white space meet, so it takes linear time.
_step = re.compile(rf'(?:({TOKEN})=({TOKEN}|"(?:[^"\\]|\\.)*")[ \t]*)?([;,]|$)[ \t]*').match
_escape = re.compile(r"\\(.)")

#: An address with or without a port, a word that hides it, or none known. X-Forwarded-For has no brackets where
#: there is no port. No zone, which would mean something only on the machine of who wrote it.
_node = re.compile(
    r"(?P<bare>[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
    r"|(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<hidden>(?i:unknown)|_[A-Za-z0-9._-]+))"
    r"(?::(?P<port>[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
).fullmatch
_is_port = re.compile(r"[1-9][0-9]{0,4}").fullmatch

#: No address with its port is longer, and what is remembered of strangers has to be bounded.
MAX_NODE = 64

#: What the scheme of a claim comes to in wsgi.url_scheme.
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Node(NamedTuple):
    """One party in the chain. The address is None if it is hidden, or unknown to who speaks of it."""

    address: IPAddress | None
    #: The address as environ has it.
    text: str = ""
    port: str | None = None


#: What a node is that nobody named.
NOBODY = Node(None)


@lru_cache(maxsize=1024)
def parse_node(text: str) -> Node:
    """Return who *text* is, as Forwarded or X-Forwarded-For write it. Raises BadRequest if it is nobody."""
    match = _node(text)
    if match is None or len(text) > MAX_NODE:
        raise BadRequest(f"a proxy forwards for {text[:MAX_NODE]!r}, which is no address (RFC 7239 section 6)")
    if match["hidden"]:
        return NOBODY
    address = read_address(match["v4"] or match["v6"] or match["bare"])
    if address is None:
        raise BadRequest(f"a proxy forwards for {text!r}, which is no address (RFC 7239 section 6)")
    port = match["port"]
    return Node(address, str(address), port if port and not port.startswith("_") else None)


def parse_forwarded(value: str) -> list[dict[str, str]]:
    """Return the parameters of each element of a Forwarded field, by name in lower case.

    All of it is read, strictly: a quote that a client opens must not swallow
    what a proxy has added. Raises BadRequest.
    """
    elements: list[dict[str, str]] = [{}]
    position = len(value) - len(value.lstrip(OWS))
    while position < len(value):
        match = _step(value, position)
        if match is None:
            raise BadRequest(f"Forwarded has {value[position : position + 40]!r}, which is no pair (RFC 7239 section 4)")
        position = match.end()
        name, said, end = match.groups()
        if name:
            add_parameter(elements[-1], name.lower(), unquote(said))
        if end == ",":
            elements.append({})
    return [element for element in elements if element]


def add_parameter(element: dict[str, str], name: str, value: str) -> None:
    if name in element:
        raise BadRequest(f"Forwarded has {name[:40]!r} twice in one element (RFC 7239 section 4)")
    element[name] = value


def unquote(value: str) -> str:
    return _escape.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def members(value: str) -> list[str]:
    """Return the members of a list; empty ones are none (RFC 9110 section 5.6.1)."""
    return [member for part in value.split(",") if (member := part.strip(OWS))]


def agree(what: str, known: T | None, said: T) -> T:
    """Return what was *said*. Raises BadRequest if something else is *known* already."""
    if known is not None and known != said:
        raise BadRequest(f"proxies contradict each other about {what}: {str(known)[:40]!r} and {str(said)[:40]!r}")
    return said


def agree_on_members(what: str, known: str | None, value: str) -> str | None:
    """Return what all members of a list say, which may stand in several fields; what is *known* if there are none."""
    for member in members(value):
        known = agree(what, known, member)
    return known


def read_scheme(proto: str) -> str:
    scheme = _SCHEMES.get(proto.lower())
    if scheme is None:
        raise BadRequest(f"Forwarded has proto={proto[:40]!r}, which is not a scheme of ours (RFC 7239 section 5.4)")
    return scheme


class Forwarding:
    """What becomes of the claims of trusted proxies."""

    __slots__ = ("_believed", "_hops", "_keys", "_mounts", "_proxies", "_root", "_scheme_fields")

    def __init__(
        self,
        proxies: Peers,
        hops: int,
        believed: Iterable[str],
        scheme_fields: Iterable[tuple[str, str]],
        root: str = "",
        mounts: bool = True,
    ) -> None:
        """*hops* is how many proxies there are; 0 is as many as *proxies* names.

        *believed* are some of CLAIMS, *scheme_fields* names of fields with the
        value that means HTTPS, *root* is where the application is mounted if
        no proxy says otherwise. *mounts* says that SCRIPT_NAME is a field of
        the proxies'; else HTTP_SCRIPT_NAME is a client's Script-Name, and tells nothing.
        """
        self._proxies = proxies
        self._hops = hops
        self._believed = frozenset(believed)
        self._scheme_fields = [("HTTP_" + name.upper().replace("-", "_"), secure.lower()) for name, secure in scheme_fields]
        #: Where none of them is, nothing is claimed.
        self._keys = tuple(_KEYS.union(key for key, _ in self._scheme_fields))
        self._root = root
        self._mounts = mounts

    def settle(self, environ: dict[str, Any]) -> None:
        """Let *environ* say what the client asked of the first proxy, as far as that is known.

        The fields stay for applications that read them on their own, except for
        SCRIPT_NAME, which is never a client's. Raises BadRequest or NotFound.
        """
        root = self._root
        if self._finds_claims(environ):
            self._settle_request(environ)
            root = self._settle_prefix(environ)
        if root:
            mount_below(environ, root)

    def _finds_claims(self, environ: dict[str, Any]) -> bool:
        # A loop, which compiled takes a fifth of what isdisjoint() does.
        for key in self._keys:  # noqa: SIM110
            if key in environ:
                return True
        return False

    def _settle_request(self, environ: dict[str, Any]) -> None:
        element, client = self._read_forwarded(environ["HTTP_FORWARDED"]) if "HTTP_FORWARDED" in environ else ({}, NOBODY)
        if "for" in self._believed:
            self._settle_client(environ, client)
        if "proto" in self._believed:
            self._settle_scheme(environ, element.get("proto"))
        if "host" in self._believed:
            settle_host(environ, element.get("host"))
        if "port" in self._believed and "HTTP_X_FORWARDED_PORT" in environ:
            settle_port(environ)

    def _read_forwarded(self, value: str) -> tuple[dict[str, str], Node]:
        """Return the element that tells of the client, and the client it names."""
        elements = parse_forwarded(value)
        index, client = self._find_client([element.get("for", "unknown") for element in elements])
        return (elements[index] if elements else {}), client

    def _read_chain(self, value: str) -> Node:
        return self._find_client(members(value))[1]

    def _find_client(self, chain: Sequence[str]) -> tuple[int, Node]:
        """Return where in a *chain* the client stands, and who it is.

        It is the rightmost that is none of the proxies, or stands before as many
        as there are hops. In a shorter chain all but the first were added by proxies.
        """
        if self._hops and chain:
            index = max(len(chain) - self._hops, 0)
            return index, parse_node(chain[index])
        client = NOBODY
        for index in range(len(chain) - 1, -1, -1):
            client = parse_node(chain[index])
            if not self._proxies.name(client.address):
                return index, client
        return 0, client

    def _settle_client(self, environ: dict[str, Any], client: Node) -> None:
        """Set REMOTE_ADDR. It stays that of the proxy if the client is hidden behind it."""
        value = environ.get("HTTP_X_FORWARDED_FOR")
        node = self._read_chain(value) if value else NOBODY
        if not node.address:
            node = client
        elif client.address:
            agree("the client", client.address, node.address)
        if node.address:
            environ["REMOTE_ADDR"] = node.text
            # What the connection knows is the port of the proxy.
            environ.pop("REMOTE_PORT", None)
            if node.port:
                environ["REMOTE_PORT"] = node.port

    def _settle_scheme(self, environ: dict[str, Any], proto: str | None) -> None:
        scheme = read_scheme(proto) if proto else None
        for key, secure in self._scheme_fields:
            value = environ.get(key)
            if value:
                for member in members(value):
                    scheme = agree("the scheme", scheme, "https" if member.lower() in (secure, "wss") else "http")
        if scheme == "https":
            environ["wsgi.url_scheme"] = scheme
            environ["HTTPS"] = "on"
        elif scheme == "http":
            environ["wsgi.url_scheme"] = scheme
            environ.pop("HTTPS", None)

    def _settle_prefix(self, environ: dict[str, Any]) -> str:
        """Return what stands in front of the path, if it is there to be split off.

        A proxy that tells a prefix has taken it from the path; one that tells SCRIPT_NAME has not.
        """
        root = environ.pop("HTTP_SCRIPT_NAME", None) if self._mounts else None
        if root is not None:
            return parse_prefix(root)
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX") if "prefix" in self._believed else None
        if not prefix:
            return self._root
        environ["SCRIPT_NAME"] = parse_prefix(agree_on_members("the prefix", None, prefix) or "/")
        return ""


def settle_host(environ: dict[str, Any], host: str | None) -> None:
    value = environ.get("HTTP_X_FORWARDED_HOST", "").lower()
    claimed = agree_on_members("the host", host.lower() if host else None, value)
    if claimed is not None:
        check_host(claimed)
        environ["HTTP_HOST"] = claimed


def settle_port(environ: dict[str, Any]) -> None:
    port = agree_on_members("the port", None, environ["HTTP_X_FORWARDED_PORT"])
    if port is None:
        return
    if not _is_port(port) or int(port) > 65535:
        raise BadRequest(f"X-Forwarded-Port {port[:40]!r} is not a port")
    environ["SERVER_PORT"] = port
