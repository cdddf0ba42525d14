"""What the request line asks for: the four forms of a target, and the host it is asked of.

RFC 9112 section 3.2. A form that does not fit the method is refused, and so is
a host that a URL built from it would not carry back.
"""

import ipaddress
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from greenserve.errors import BadRequest, MethodNotImplemented

#: Printable ASCII but for the space, which ends a target, and the fragment, which no client sends.
#: Wider than RFC 3986 by `" < > [ ] \ ^ { | }` and a lone %, which browsers do send.
is_target = re.compile(r"[!\"$-~]+").fullmatch

_absolute_form = re.compile(r"(?i:https?)://([^/?]*)(/[^?]*)?(\?.*)?").fullmatch

_REG_NAME = r"[A-Za-z0-9\-._~!$&'()*+,;=]*"
# Not `(x|%hh)*`, which is slower, and not `(x+|%hh)*`, which can take exponential time.
_reg_name_and_port = re.compile(rf"({_REG_NAME}(?:%[0-9A-Fa-f]{{2}}{_REG_NAME})*)(?::([0-9]{{0,5}}))?").fullmatch
_ip_literal_and_port = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{0,5}))?").fullmatch
_is_ip_future = re.compile(r"\[[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\](?::[0-9]{0,5})?").fullmatch

#: Hosts found well-formed before. A server has few, and the match costs 0.6 us. Bounded, for strangers write them.
_known_hosts: set[str] = set()
MAX_KNOWN_HOSTS = 1024
MAX_KNOWN_HOST = 64


def fill_target(environ: dict[str, Any], method: str, target: str) -> str | None:
    """Set PATH_INFO and QUERY_STRING; return the authority if the target names one.

    Raises BadRequest, or MethodNotImplemented for CONNECT: we are no proxy.
    """
    if not is_target(target):
        raise BadRequest(f"request target {target[:40]!r} has a byte that must be percent-encoded (RFC 3986 section 2)")
    if method == "CONNECT":
        raise MethodNotImplemented("CONNECT asks for a tunnel, and this server is no proxy")
    authority = None
    path = target
    if target[0] != "/":
        authority, path = split_other_form(method, target)
    path, _, environ["QUERY_STRING"] = path.partition("?")
    environ["PATH_INFO"] = decode_path(path) if "%" in path else path
    return authority


def decode_path(path: str) -> str:
    """Return *path* percent-decoded once, as the latin-1 str that PEP 3333 asks for.

    What is no escape ("100%", "%zz") stays as it is: browsers send it. NUL is
    refused, since it names no route and no file, and ends a path in C.
    """
    decoded = unquote_to_bytes(path)
    if b"\0" in decoded:
        raise BadRequest(f"request target {path[:40]!r} has a NUL in its path")
    return decoded.decode("latin-1")


def split_other_form(method: str, target: str) -> tuple[str | None, str]:
    """Return authority, and path with query, of a target that does not begin with a slash.

    `OPTIONS *` has the empty path: CGI and PEP 3333 know no other that is not
    below a slash. RAW_URI tells it from `OPTIONS /`.
    """
    if target == "*" and method == "OPTIONS":
        return None, ""
    absolute = _absolute_form(target)
    if absolute is None:
        raise BadRequest(f"request target {target[:40]!r} is in no form that {method[:32]} can have (RFC 9112 section 3.2)")
    authority, path, query = absolute.groups("")
    if not authority:
        raise BadRequest(f"request target {target[:40]!r} names no host (RFC 9110 section 4.2.1)")
    check_host(authority)
    return authority, (path or "/") + query


def settle_host(environ: dict[str, Any], authority: str | None, http11: bool) -> None:
    """See to it that environ has the one host this request is for, if it must have one.

    The authority of a target in absolute form wins over Host, which must be
    there and well-formed nevertheless (RFC 9112 section 3.2.2).
    """
    host = environ.get("HTTP_HOST")
    if host is not None:
        check_host(host)
    elif http11:
        raise BadRequest("a request of HTTP/1.1 must have a Host field (RFC 9112 section 3.2)")
    if authority is not None:
        environ["HTTP_HOST"] = authority


def check_host(value: str) -> None:
    """Return if *value* is `uri-host [ ":" port ]` of RFC 3986 section 3.2.2, which may be empty.

    No user, no path, no white space: frameworks paste it between "http://" and
    the path, and whoever builds on that URL must get the host that we saw.
    """
    if value in _known_hosts:
        return
    check_host_grammar(value)
    if len(value) <= MAX_KNOWN_HOST and len(_known_hosts) < MAX_KNOWN_HOSTS:
        _known_hosts.add(value)


def check_host_grammar(value: str) -> None:
    """Raise BadRequest if *value* is no host with an optional port."""
    match = _reg_name_and_port(value) or _ip_literal_and_port(value)
    if match is None:
        if _is_ip_future(value):
            return
        raise BadRequest(f"host {value[:40]!r} is not a host with an optional port (RFC 9110 section 7.2)")
    name, port = match.groups()
    if port and int(port) > 65535:
        raise BadRequest(f"host {value[:40]!r} has a port above 65535")
    if value.startswith("["):
        check_ipv6(name)


def check_ipv6(address: str) -> None:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise BadRequest(f"host '[{address[:40]}]' is not an IPv6 address (RFC 3986 section 3.2.2)") from None
