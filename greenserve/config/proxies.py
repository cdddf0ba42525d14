"""Who may speak for others, and the kinds of values that only these settings have.

What becomes of it is the business of protocol/forwarded.py and protocol/proxy.py.
"""

import dataclasses
import ipaddress
import re
from collections.abc import Mapping

from greenserve.kinds import Choice, Kind, Several, Text, Whole, printable, text_of
from greenserve.setting import PROXIES, setting


class Peer(Kind[str]):
    expects = "an address such as 192.0.2.1 or ::1, a network such as 10.0.0.0/8, unix, or *"
    metavar = "ADDRESS"

    def parse(self, given: object) -> str:
        text = text_of(given)
        if text in ("*", "unix"):
            return text
        return str(ipaddress.ip_network(text)) if "/" in text else str(ipaddress.ip_address(text))


class SecureField(Kind[tuple[str, str]]):
    """The name of a field, and the value by which a proxy says there that its client came by TLS."""

    expects = "NAME=VALUE, with a field's name in it"
    metavar = "NAME=VALUE"

    def parse(self, given: object) -> tuple[str, str]:
        name, value = given if isinstance(given, tuple) else text_of(given).split("=", 1)
        if not re.fullmatch(r"[A-Za-z0-9-]+", text_of(name)):
            raise ValueError
        return name, text_of(value)

    def show(self, value: tuple[str, str]) -> str:
        return printable("=".join(value))


class SecureFields(Several[tuple[str, str]]):
    """As gunicorn has it a dictionary; in a flag or a variable NAME=VALUE with commas between them."""

    def __init__(self) -> None:
        super().__init__(SecureField())

    def parse(self, given: object) -> tuple[tuple[str, str], ...]:
        return super().parse(list(given.items()) if isinstance(given, Mapping) else given)


class ProxyProtocol(Choice):
    """True is what gunicorn's users wrote when there was only one way of it."""

    def __init__(self) -> None:
        super().__init__("off", "v1", "v2", "auto", metavar="VERSION")

    def parse(self, given: object) -> str:
        return super().parse({True: "auto", False: "off"}[given] if isinstance(given, bool) else given)


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ProxySettings:
    forwarded_allow_ips: tuple[str, ...] = setting(
        Several(Peer()),
        default=("127.0.0.1", "::1"),
        flags="--forwarded-allow-ips",
        group=PROXIES,
        help=(
            "The proxies that are believed when they say, in Forwarded or X-Forwarded-*, who asks and how: addresses, networks, "
            "unix for whoever connects to a unix socket, * for whoever connects at all. These fields are removed from "
            "requests of anybody else. FORWARDED_ALLOW_IPS in the environment says the same."
        ),
    )
    forwarded_hops: int = setting(
        Whole(),
        default=0,
        flags="--forwarded-hops",
        group=PROXIES,
        help=(
            "How many proxies a request passes on its way here, the last of them among forwarded_allow_ips. 0 is as many as "
            "there are of forwarded_allow_ips in a row; * counts for one."
        ),
    )
    forwarded_claims: tuple[str, ...] = setting(
        Several(Choice("for", "proto", "host", "port", "prefix", metavar="CLAIM")),
        default=("for", "proto", "port", "prefix"),
        flags="--forwarded-claims",
        group=PROXIES,
        help=(
            "What proxies are believed about: for sets REMOTE_ADDR, proto wsgi.url_scheme, host HTTP_HOST, port SERVER_PORT, "
            "prefix SCRIPT_NAME. Add host only if the proxy replaces X-Forwarded-Host and Forwarded, or clients write it."
        ),
    )
    secure_scheme_headers: tuple[tuple[str, str], ...] = setting(
        SecureFields(),
        default=(("X-FORWARDED-PROTOCOL", "ssl"), ("X-FORWARDED-PROTO", "https"), ("X-FORWARDED-SSL", "on")),
        flags="--secure-scheme-headers",
        group=PROXIES,
        help="The fields by which a proxy says that its client came by HTTPS, each with the value that means so.",
    )
    forwarder_headers: tuple[str, ...] = setting(
        Several(Text("the name of a field", "NAME")),
        default=("SCRIPT_NAME", "PATH_INFO"),
        flags="--forwarder-headers",
        group=PROXIES,
        help="Fields with an underscore in their name that forwarded_allow_ips may send. SCRIPT_NAME sets what its name says.",
    )
    proxy_protocol: str = setting(
        ProxyProtocol(),
        default="off",
        flags="--proxy-protocol",
        group=PROXIES,
        help=(
            "The version of the PROXY protocol with which each connection from proxy_allow_ips begins; auto is either. One of "
            "theirs that does not is closed. Others are served without."
        ),
    )
    proxy_allow_ips: tuple[str, ...] = setting(
        Several(Peer()),
        default=("127.0.0.1", "::1"),
        flags="--proxy-allow-from",
        group=PROXIES,
        help="The proxies that speak the PROXY protocol: addresses, networks, unix, or * for all.",
    )
