"""Which peers are believed: addresses and networks, and the words that stand for others.

Knows who somebody is, not what he says; that is for forwarded.py and proxy.py.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

#: Everybody who connects.
ANYONE = "*"
#: Everybody who connects to a unix socket: such a peer has no address.
UNIX = "unix"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1024)
def read_address(text: str) -> IPAddress | None:
    """Return the address that *text* is, None if it is none; IPv4 in the clothes of IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.version == 6 and address.ipv4_mapped) or address


class Peers:
    """Some peers, as a setting names them: "10.0.0.0/8", "::1", "unix", "*".

    `*` tells nothing of anybody in particular, so it lets in whoever connects
    and makes nobody a proxy whom others only mention.
    """

    __slots__ = ("_anyone", "_networks", "_unix")

    def __init__(self, named: Iterable[str]) -> None:
        words = set(named)
        self._anyone = ANYONE in words
        self._unix = self._anyone or UNIX in words
        self._networks: list[Network] = [ipaddress.ip_network(word, strict=False) for word in words - {ANYONE, UNIX}]

    def admit(self, peer: str) -> bool:
        """Return whether one of them has connected; a *peer* on a unix socket has the empty address."""
        if not peer:
            return self._unix
        return self._anyone or self.name(read_address(peer))

    def name(self, address: IPAddress | None) -> bool:
        """Return whether *address* is among those named."""
        return address is not None and any(address in network for network in self._networks)
