"""From files to the TLS context of a worker; what is wrong with them is said in one sentence.

Read when a worker boots, before it gives up root, so keys can be root's alone;
a reload makes new workers, and so reads them again.
"""

import ssl
import sys
from pathlib import Path
from typing import Any

from greenserve.config import Config
from greenserve.config.encryption import NamedCertificate
from greenserve.errors import WorkerBootError
from greenserve.worker.selfsigned import find_certificate

CLIENT_CERTIFICATE = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
VERSION = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def make_context(config: Config) -> ssl.SSLContext | None:
    """Return the context for every TCP listener, None if they speak plain HTTP.

    Raises WorkerBootError for files that do not fit together, or the settings.
    """
    if not config.tls:
        return None
    made = make_default_context(config) if config.ssl_context is None else call_hook(config)
    made.sslobject_class = Session
    return made


class Session(ssl.SSLObject):
    """One connection's TLS, as gevent's callbacks can find it: they expect a socket that knows its SSL socket."""

    def _sslsock(self) -> "Session":
        return self


def call_hook(config: Config) -> ssl.SSLContext:
    """Return what the ssl_context function makes. Raises WorkerBootError for whatever it raises."""
    assert config.ssl_context is not None
    try:
        made = config.ssl_context(config, lambda: make_default_context(config))
    except WorkerBootError:
        raise
    except Exception as error:
        raise WorkerBootError(f"the ssl_context function raised {type(error).__name__}: {error}") from error
    if not isinstance(made, ssl.SSLContext):
        raise WorkerBootError(f"the ssl_context function returned {type(made).__name__}, not an ssl.SSLContext")
    return made


def make_default_context(config: Config) -> ssl.SSLContext:
    """Return what the settings ask for, before a hook changes it."""
    certfile = config.certfile or (find_certificate() if config.self_signed else None)
    context = make_bare_context(config)
    if certfile is not None:
        load_pair(context, certfile, config.keyfile if config.certfile else None, config.keyfile_password)
    if config.sni:
        choose_by_name(context, {each.name: make_named_context(config, each) for each in config.sni})
    return context


def make_named_context(config: Config, named: NamedCertificate) -> ssl.SSLContext:
    context = make_bare_context(config)
    load_pair(context, named.certfile, named.keyfile, config.keyfile_password)
    return context


def make_bare_context(config: Config) -> ssl.SSLContext:
    """Return a context that lacks nothing but a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSION[config.ssl_minimum_version]
    # A client that renegotiates makes us work, and needs it for nothing (TLS 1.3 has dropped it).
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    if config.ciphers:
        set_ciphers(context, config.ciphers)
    ask_for_certificate(context, config)
    return context


def set_ciphers(context: ssl.SSLContext, ciphers: str) -> None:
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        raise WorkerBootError(f"ciphers {ciphers!r} names none that OpenSSL has (openssl ciphers -v lists them)") from None


def ask_for_certificate(context: ssl.SSLContext, config: Config) -> None:
    """Make clients show a certificate, as far as they have to."""
    if config.cert_reqs != "none" and not config.ca_certs:
        raise WorkerBootError(f"cert_reqs is {config.cert_reqs}, and needs ca_certs: the authorities that clients are signed by")
    if config.ca_certs:
        read_pem(config.ca_certs, "ca_certs", "CERTIFICATE")
        try:
            context.load_verify_locations(config.ca_certs)
        except ssl.SSLError as error:
            raise WorkerBootError(f"ca_certs {config.ca_certs} cannot be used: {words_of(error)}") from None
    context.verify_mode = CLIENT_CERTIFICATE[config.cert_reqs]


# A certificate and its key.


def load_pair(context: ssl.SSLContext, certfile: str, keyfile: str | None, password: str | None) -> None:
    read_pem(certfile, "certfile", "CERTIFICATE")
    key, where = (keyfile, "keyfile") if keyfile else (certfile, "certfile")
    encrypted = "ENCRYPTED" in read_pem(key, where, "PRIVATE KEY")
    if encrypted and password is None:
        # OpenSSL would ask at the terminal, of all things.
        raise WorkerBootError(f"the key in {where} {key} is encrypted, and there is no keyfile_password")
    try:
        context.load_cert_chain(certfile, keyfile, password or "")
    except ssl.SSLError as error:
        raise WorkerBootError(explain(error, certfile, key, where, encrypted)) from None


def read_pem(path: str, setting: str, wanted: str) -> str:
    """Return a file that has a *wanted* part, such as "PRIVATE KEY" of any sort."""
    try:
        text = Path(path).read_text(encoding="latin-1")
    except OSError as error:
        raise WorkerBootError(f"{setting} {path} cannot be read: {error.strerror}") from None
    if f"{wanted}-----" not in text:
        has = "" if setting != "certfile" or wanted == "CERTIFICATE" else ", and there is no keyfile"
        raise WorkerBootError(f"{setting} {path} has no {wanted.lower()} in PEM form{has}")
    return text


def explain(error: ssl.SSLError, certfile: str, key: str, where: str, encrypted: bool) -> str:
    """Say what OpenSSL means; for a wrong password it means everything and nothing."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {where} {key} does not belong to the certificate in {certfile}"
    if error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
        return f"certfile {certfile} is too weak to be accepted by anybody: {words_of(error)}"
    if encrypted:
        return f"keyfile_password does not open the key in {where} {key}"
    return f"certfile {certfile} with the key in {key} cannot be used: {words_of(error)}"


def words_of(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")


# Several names.


def choose_by_name(context: ssl.SSLContext, named: dict[str, ssl.SSLContext]) -> None:
    """Let *context* hand a client that asks for a name over to the context of that name."""

    def choose(session: Any, name: str | None, _: ssl.SSLContext) -> None:
        chosen = find_named(named, name.lower()) if name else None
        if chosen is not None:
            session.context = chosen

    context.sni_callback = choose


def keep_quiet_about_names() -> None:
    """Let no client make us write a traceback by asking for a name that is not ASCII.

    Where somebody chooses by name, ssl decodes it, fails, and tells so past every log. The handshake has its line.
    """
    others = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if not (isinstance(unraisable.exc_value, UnicodeDecodeError) and isinstance(unraisable.object, bytes)):
            others(unraisable)

    sys.unraisablehook = hook


def find_named(named: dict[str, ssl.SSLContext], name: str) -> ssl.SSLContext | None:
    """Return the context for exactly *name*, or for its parent with `*.` in front."""
    return named.get(name) or named.get("*." + name.partition(".")[2])
