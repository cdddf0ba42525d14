"""The PROXY protocol, versions 1 and 2: whose connection a proxy passes on.

It stands once in front of everything else on a connection, TLS included. What
follows it belongs to others, so not one byte more is asked for than the header
is sure to have. The specification is HAProxy's proxy-protocol.txt.
"""

import ipaddress
import re
from struct import Struct
from typing import NamedTuple

from greenserve.errors import ProxyHeaderRefused

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

#: A header of version 1 with its CRLF (section 2.1).
MAX_V1 = 107
#: A header of version 2; its length would allow 65 KiB of what we do not read.
MAX_V2 = 4096

#: "PROXY UNKNOWN" and CRLF; with as many bytes the versions can be told from each other.
LEAST_V1 = 15
HEAD_V2 = Struct("!12sBBH")

_v1 = re.compile(
    rb"PROXY (?:(TCP4|TCP6) ([^ %]+) ([^ %]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})|UNKNOWN(?: [^\r\n]*)?)\r\n"
).fullmatch

#: By family and transport: the name in version 1, and what the addresses look like. Others are not over TCP.
_V2 = {0x11: ("TCP4", Struct("!4s4sHH")), 0x21: ("TCP6", Struct("!16s16sHH"))}
UNSPECIFIED, UNIX_STREAM, UNIX_SIZE = 0x00, 0x31, 216


class Passage(NamedTuple):
    """From where to where a proxy has been asked to pass a connection on."""

    #: TCP4 or TCP6.
    protocol: str
    client: str
    client_port: int
    proxy: str
    proxy_port: int


class ProxyHeader(NamedTuple):
    """A whole header. Without a passage it is the proxy's own connection, or it cannot say whose."""

    passage: Passage | None


def parse_proxy_header(data: bytes, version: str) -> ProxyHeader | int:
    """Return the header that *data* is, or how many bytes more it must have at the least.

    *version* is "v1", "v2" or "auto". Never asks for a byte that stands behind
    the header. Raises ProxyHeaderRefused, as early as the bytes allow.
    """
    if not data and version != "v2":
        return LEAST_V1
    if version != "v1" and SIGNATURE.startswith(data[: len(SIGNATURE)]):
        return parse_v2(data)
    if version != "v2" and b"PROXY ".startswith(data[:6]):
        return parse_v1(data)
    raise ProxyHeaderRefused(f"it begins with {data[:16]!r}")


def parse_v1(line: bytes) -> ProxyHeader | int:
    if not line.endswith(b"\r\n"):
        wanted = max(LEAST_V1 - len(line), 1 if line.endswith(b"\r") else 2)
        if len(line) + wanted > MAX_V1 or b"\n" in line:
            raise ProxyHeaderRefused(f"{line[:40]!r} goes on without CRLF for {MAX_V1} bytes, or with a line end that is none")
        return wanted
    match = _v1(line)
    if match is None:
        raise ProxyHeaderRefused(f"{line[:MAX_V1]!r} is no header of version 1")
    family, client, proxy, client_port, proxy_port = match.groups()
    if family is None:
        return ProxyHeader(None)
    of = ipaddress.IPv4Address if family == b"TCP4" else ipaddress.IPv6Address
    try:
        clean, clean_proxy = str(of(client.decode("ascii"))), str(of(proxy.decode("ascii")))
    except ValueError:
        raise ProxyHeaderRefused(f"{line[:MAX_V1]!r} has an address in it that is none") from None
    return ProxyHeader(make_passage(family.decode(), clean, int(client_port), clean_proxy, int(proxy_port)))


def parse_v2(data: bytes) -> ProxyHeader | int:
    if len(data) < HEAD_V2.size:
        return HEAD_V2.size - len(data)
    _, version_and_command, family, length = HEAD_V2.unpack_from(data)
    size: int = HEAD_V2.size + length
    if version_and_command not in (0x20, 0x21) or size > MAX_V2:
        raise ProxyHeaderRefused(f"{data[12:16]!r} is no version, command, family and length that we know")
    if len(data) < size:
        return size - len(data)
    # LOCAL: the proxy itself asks, to see whether we are there.
    return ProxyHeader(parse_addresses(family, data[HEAD_V2.size :]) if version_and_command == 0x21 else None)


def parse_addresses(family: int, data: bytes) -> Passage | None:
    """Return what stands before the type-length-values, which tell nothing that we use."""
    if family == UNSPECIFIED or (family == UNIX_STREAM and len(data) >= UNIX_SIZE):
        return None
    name, addresses = _V2.get(family, ("", None))
    if addresses is None or len(data) < addresses.size:
        raise ProxyHeaderRefused(f"family {family:#04x} with {len(data)} bytes is no pair of addresses over TCP")
    client, proxy, client_port, proxy_port = addresses.unpack_from(data)
    return make_passage(name, str(ipaddress.ip_address(client)), client_port, str(ipaddress.ip_address(proxy)), proxy_port)


def make_passage(protocol: str, client: str, client_port: int, proxy: str, proxy_port: int) -> Passage:
    if client_port > 65535 or proxy_port > 65535:
        raise ProxyHeaderRefused(f"{max(client_port, proxy_port)} is no port")
    return Passage(protocol, client, client_port, proxy, proxy_port)
