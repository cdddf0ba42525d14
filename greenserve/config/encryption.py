"""The settings of TLS, and the kinds of values that only they have.

Config inherits them. Nothing here loads a certificate, or the ssl module: that
is for the workers to do, when they are patched.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from greenserve.hooks import Hook
from greenserve.kinds import Choice, File, Kind, Maybe, Refused, Seconds, Several, Switch, Text, printable, text_of
from greenserve.setting import TIMEOUTS, TLS, setting


class Secret(Text):
    """A text that nobody gets to see again."""

    def show(self, value: str) -> str:
        return "***"

    def conceal(self, spelled: str) -> str:
        return "***"


class ClientCertificate(Choice):
    """Whether a client needs a certificate; 0, 1 and 2 are the numbers of Python's ssl module, and so gunicorn's."""

    def __init__(self) -> None:
        super().__init__("none", "optional", "required", metavar="WHETHER")
        self.expects += ", or 0, 1, 2"

    def parse(self, given: object) -> str:
        if isinstance(given, int) and not isinstance(given, bool):
            given = str(int(given))
        if given in ("0", "1", "2"):
            return self.words[int(str(given))]
        return super().parse(given)


class Version(Kind[str]):
    expects = "TLSv1.2 or TLSv1.3"
    metavar = "VERSION"

    _KNOWN: ClassVar[dict[str, str]] = {"tlsv1.2": "TLSv1.2", "tlsv1.3": "TLSv1.3"}

    def parse(self, given: object) -> str:
        try:
            return self._KNOWN[text_of(given).lower()]
        except KeyError:
            raise ValueError from None


class NamedCertificate(NamedTuple):
    """The certificate for clients that ask for *name*; `*.` in front is any one label."""

    name: str
    certfile: str
    #: None if the key is in certfile too.
    keyfile: str | None


class Sni(Kind[NamedCertificate]):
    expects = "NAME=CERTFILE or NAME=CERTFILE,KEYFILE"
    metavar = "NAME=CERTFILE[,KEYFILE]"

    _NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*)(\.[a-z0-9_-]+)*")

    def parse(self, given: object) -> NamedCertificate:
        name, files = given if isinstance(given, tuple) else self._take_apart(text_of(given))
        certfile, keyfile = (*files, None) if len(files) == 1 else files
        if not self._NAME.fullmatch(name.lower()):
            raise Refused(f"is not {self.expects}, where NAME is a host name such as shop.example or *.shop.example")
        return NamedCertificate(name.lower(), File().parse(certfile), Maybe(File()).parse(keyfile))

    def _take_apart(self, text: str) -> tuple[str, list[str]]:
        name, equals, files = text.partition("=")
        if not equals:
            raise ValueError
        return name.strip(), [part.strip() for part in files.split(",")]

    def show(self, value: NamedCertificate) -> str:
        return printable(f"{value.name}={value.certfile}" + (f",{value.keyfile}" if value.keyfile else ""))

    def anchor(self, value: NamedCertificate, directory: str) -> NamedCertificate:
        return NamedCertificate(
            value.name, File().anchor(value.certfile, directory), Maybe(File()).anchor(value.keyfile, directory)
        )


class SniTable(Several[NamedCertificate]):
    """A list of NAME=CERTFILE[,KEYFILE], or in files a table: `"shop.example" = ["shop.pem", "shop.key"]`."""

    def __init__(self) -> None:
        super().__init__(Sni(), separator="\n")

    def parse(self, given: object) -> tuple[NamedCertificate, ...]:
        if isinstance(given, dict):
            given = [(name, [files] if isinstance(files, str) else files) for name, files in given.items()]
        return super().parse(given)


#: What is of no use to a server without a certificate, and to set it is to believe that there is one.
PARTS = ("keyfile", "sni", "ca_certs", "ciphers", "keyfile_password")


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Encryption:
    """Whether and how the server speaks TLS. It does on every TCP listener, and on no unix socket."""

    certfile: str | None = setting(
        Maybe(File()),
        default=None,
        flags="--certfile",
        group=TLS,
        help=(
            "The server's certificate in PEM form, followed by those between it and the root. With it every TCP "
            "listener speaks HTTPS; unix sockets stay plain."
        ),
    )
    keyfile: str | None = setting(
        Maybe(File()),
        default=None,
        flags="--keyfile",
        group=TLS,
        help="The private key of certfile; none if it stands in certfile too. Read before the workers give up root.",
    )
    keyfile_password: str | None = setting(
        Maybe(Secret("a password", "PASSWORD")),
        default=None,
        flags="--keyfile-password",
        group=TLS,
        secret=True,
        help="What opens an encrypted key. Better given as a variable or in a file: every user can see the flags of a process.",
    )
    sni: tuple[NamedCertificate, ...] = setting(
        SniTable(),
        default=(),
        flags="--sni",
        group=TLS,
        help=(
            "Another certificate, for clients that ask for NAME; may be repeated. *.NAME is any one label before NAME. "
            "Clients that ask for any other name, or for none, get certfile."
        ),
    )
    self_signed: bool = setting(
        Switch(),
        default=False,
        flags="--self-signed",
        group=TLS,
        help=(
            "Speak HTTPS for development, with a certificate for localhost that nobody vouches for. It is kept in the "
            "user's cache directory. Needs trustme: pip install 'greenserve[self-signed]'."
        ),
    )
    ca_certs: str | None = setting(
        Maybe(File()),
        default=None,
        flags="--ca-certs",
        group=TLS,
        help="The authorities that sign the certificates of clients, in PEM form.",
    )
    cert_reqs: str = setting(
        ClientCertificate(),
        default="none",
        flags="--cert-reqs",
        group=TLS,
        help="Whether clients have to show a certificate that ca_certs has signed.",
    )
    ciphers: str | None = setting(
        Maybe(Text("a list of ciphers in OpenSSL's form", "CIPHERS")),
        default=None,
        flags="--ciphers",
        group=TLS,
        help="The ciphers for TLS 1.2, in OpenSSL's form; none is Python's choice. Those of TLS 1.3 are all good.",
    )
    ssl_minimum_version: str = setting(
        Version(),
        default="TLSv1.2",
        flags="--ssl-minimum-version",
        group=TLS,
        help="The oldest version of TLS that is spoken.",
    )
    ssl_context: Callable[..., Any] | None = setting(  # noqa: RUF009 - setting() is a dataclasses.field
        Hook("ssl_context(config, default_ssl_context_factory)"),
        default=None,
        group=TLS,
        help=(
            "A function in a Python configuration file that returns the ssl.SSLContext to use, perhaps that of "
            "default_ssl_context_factory() after a change. Called once in each worker; import ssl inside it."
        ),
    )
    handshake_timeout: float = setting(
        Seconds(zero=False),
        default=10.0,
        flags="--handshake-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may take for a TLS handshake.",
    )

    @property
    def tls(self) -> bool:
        """Whether TCP listeners speak TLS."""
        return self.certfile is not None or self.self_signed or self.ssl_context is not None

    def find_contradiction(self) -> str | None:
        """Return what is wrong with these settings together, whatever the files hold, in a sentence; None if nothing is.

        What would be silently ignored is refused: somebody may rely on clients being asked for a certificate.
        """
        given = [name for name in PARTS if getattr(self, name)] + ["cert_reqs"] * (self.cert_reqs != "none")
        if given and not self.tls:
            return f"{given[0]} is set, but there is no certfile, so nothing would be encrypted"
        if self.cert_reqs != "none" and not self.ca_certs and self.ssl_context is None:
            return f"cert_reqs is {self.cert_reqs}, and needs ca_certs: the authorities that clients are signed by"
        return None
