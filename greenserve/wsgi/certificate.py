"""The keys of environ that tell of TLS and of the client's certificate, under mod_ssl's names.

No field of a request becomes one of them: all that a client names itself
begins with HTTP_.
"""

from collections.abc import Iterable
from typing import Any

#: How RFC 4514 section 3, and mod_ssl where that is silent, abbreviate what OpenSSL spells out.
ABBREVIATIONS = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}

Name = Iterable[Iterable[tuple[str, str]]]


def session_environ(cipher: str, protocol: str, resumed: bool) -> dict[str, str]:
    """Return what is known of every TLS connection."""
    return {
        "SSL_PROTOCOL": protocol,
        "SSL_CIPHER": cipher,
        "SSL_SESSION_RESUMED": "Resumed" if resumed else "Initial",
        "SSL_CLIENT_VERIFY": "NONE",
    }


def certificate_environ(certificate: dict[str, Any], pem: str) -> dict[str, str]:
    """Return what is known of a client by its certificate, which has been verified.

    *certificate* is what `ssl.SSLObject.getpeercert()` says.
    """
    subject = certificate.get("subject", ())
    return {
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_CLIENT_CERT": pem,
        "SSL_CLIENT_S_DN": native(write_name(subject)),
        "SSL_CLIENT_S_DN_CN": native(find_common_name(subject)),
        "SSL_CLIENT_I_DN": native(write_name(certificate.get("issuer", ()))),
        "SSL_CLIENT_M_SERIAL": certificate.get("serialNumber", ""),
        "SSL_CLIENT_SERIAL": certificate.get("serialNumber", ""),
        "SSL_CLIENT_V_START": certificate.get("notBefore", ""),
        "SSL_CLIENT_V_END": certificate.get("notAfter", ""),
    }


def write_name(name: Name) -> str:
    """Return a distinguished name as RFC 4514 writes it, the last part first: `CN=Ann,O=Example,C=DE`."""
    parts = ["+".join(f"{ABBREVIATIONS.get(kind, kind)}={escape_value(value)}" for kind, value in part) for part in name]
    return ",".join(reversed(parts))


def escape_value(value: str) -> str:
    """Escape what would let a value pass for a part of its own (RFC 4514 section 2.4)."""
    escaped = "".join(f"\\{character}" if character in '"+,;<>\\' else character for character in value)
    escaped = "".join(f"\\{ord(character):02X}" if character < " " or character == "\x7f" else character for character in escaped)
    if escaped.startswith(("#", " ")):
        escaped = "\\" + escaped
    return f"{escaped[:-1]}\\ " if value.endswith(" ") and len(value) > 1 else escaped


def find_common_name(name: Name) -> str:
    """Return the last common name, the most particular one; empty if there is none."""
    names = [value for part in name for kind, value in part if kind == "commonName"]
    return names[-1] if names else ""


def native(text: str) -> str:
    """Return UTF-8 as the str that PEP 3333 wants: a character for each byte."""
    return text.encode().decode("latin-1")
