"""The access line: gunicorn's atoms, compiled once into a function of an Access."""

import base64
import functools
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from greenserve.errors import ConfigError
from greenserve.log.escape import escape


class Access(NamedTuple):
    """What is known of one exchange when it is over."""

    environ: Mapping[str, Any]
    #: "200 OK" or 200.
    status: str | int
    #: The fields of the response.
    fields: list[tuple[str, str]]
    #: Bytes of content sent; None if nobody counted.
    sent: int | None
    #: When it began, in seconds since the epoch.
    started: float
    #: Seconds from the first to the last byte.
    elapsed: float
    pid: int


Value = Callable[[Access], str]
Number = Callable[[Access], "int | None"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def show(value: object) -> str:
    """Return *value* for a line; "-" if it is missing, or an object whose text is the application's code."""
    if isinstance(value, str):
        return escape(value)
    return str(int(value)) if isinstance(value, int) else "-"


@functools.lru_cache(maxsize=4)
def format_time(second: int) -> str:
    """Return `[20/Nov/2026:10:00:00 +0000]` in local time; English whatever the locale."""
    local = time.localtime(second)
    return time.strftime(f"[%d/{_MONTHS[local.tm_mon - 1]}/%Y:%H:%M:%S %z]", local)


def request_line(access: Access) -> str:
    words = (access.environ.get(key) for key in ("REQUEST_METHOD", "RAW_URI", "SERVER_PROTOCOL"))
    return " ".join(map(show, words))


def basic_user(access: Access) -> str:
    """Return the user name of HTTP Basic credentials; never anything that could be the secret."""
    scheme, _, credentials = str(access.environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() != "basic":
        return "-"
    try:
        user, colon, _ = base64.b64decode(credentials, validate=True).partition(b":")
    except ValueError:
        return "-"
    return escape(user.decode("latin-1")) if colon and user else "-"


def variable(*keys: str) -> Value:
    """Return what reads the first of *keys* that environ has."""

    def read(access: Access) -> str:
        for key in keys:
            if key in access.environ:
                return show(access.environ[key])
        return "-"

    return read


def request_field(name: str) -> Value:
    key = name.upper().replace("-", "_")
    return variable(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}")


def response_field(name: str) -> Value:
    """Return what reads the field *name* of the response, the last one if there are several."""
    wanted = name.lower()
    return lambda access: next((show(value) for name, value in reversed(access.fields) if name.lower() == wanted), "-")


def missing(_: Access) -> str:
    return "-"


TEXTS: dict[str, Value] = {
    "h": lambda access: show(access.environ.get("REMOTE_ADDR")) or "-",
    "l": missing,
    "u": basic_user,
    "t": lambda access: format_time(int(access.started)),
    "r": request_line,
    "m": variable("REQUEST_METHOD"),
    "U": variable("PATH_INFO"),
    "q": variable("QUERY_STRING"),
    "H": variable("SERVER_PROTOCOL"),
    "s": lambda access: escape(str(access.status)[:3]),
    "b": lambda access: "-" if access.sent is None else str(access.sent),
    "f": variable("HTTP_REFERER"),
    "a": variable("HTTP_USER_AGENT"),
    "L": lambda access: f"{access.elapsed:.6f}",
    "p": lambda access: f"<{access.pid}>",
}

NUMBERS: dict[str, Number] = {
    "B": lambda access: access.sent,
    "T": lambda access: int(access.elapsed),
    "M": lambda access: int(access.elapsed * 1_000),
    "D": lambda access: int(access.elapsed * 1_000_000),
}

#: `{name}i`, `{name}o` and `{name}e`.
NAMED: dict[str, Callable[[str], Value]] = {
    "i": request_field,
    "o": response_field,
    "e": lambda name: variable(name, name.upper()),
}

_ATOM = re.compile(r"%(?:%|\((?P<atom>[^()]*)\)(?P<layout>[-#0 +]*\d{0,3}(?:\.\d{1,3})?)(?P<kind>[a-zA-Z])|)")


def find_text(atom: str) -> Value:
    """Return what reads *atom*; for one that nobody knows, what always says "-", as gunicorn does."""
    named = re.fullmatch(r"\{(.+)\}([ioe])", atom)
    return NAMED[named[2]](named[1]) if named else TEXTS.get(atom, missing)


class Atoms(Mapping[str, "str | int"]):
    """The atoms of one exchange, each read when it is asked for."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __getitem__(self, atom: str) -> str | int:
        if atom in NUMBERS:
            number = NUMBERS[atom](self._access)
            return "-" if number is None else number
        return find_text(atom)(self._access)

    def __iter__(self) -> Iterator[str]:
        return iter((*TEXTS, *NUMBERS))

    def __len__(self) -> int:
        return len(TEXTS) + len(NUMBERS)


def laid_out(value: Value, layout: str) -> Value:
    return (lambda access: layout % value(access)) if layout != "%s" else value


def numbered(number: Number, layout: str) -> Value:
    def read(access: Access) -> str:
        value = number(access)
        return "-" if value is None else layout % value

    return read


def refuse_atom(match: re.Match[str], reason: str) -> ConfigError:
    where = f"{match[0]!r} at character {match.start() + 1}"
    return ConfigError(f"access_log_format: {where} {reason}")


def compile_atom(match: re.Match[str]) -> Value:
    """Return what reads the atom that *match* found. Raises ConfigError if it cannot be read so."""
    atom, kind = match["atom"], match["kind"]
    if atom is None:
        raise refuse_atom(match, "is not an atom: write %(name)s, or %% for a percent sign")
    layout = f"%{match['layout']}{kind}"
    if atom in NUMBERS and kind in "sdi":
        return numbered(NUMBERS[atom], layout)
    if kind != "s":
        raise refuse_atom(match, f"cannot be written as {kind!r}: write %({atom})s")
    return laid_out(find_text(atom), layout)


def compile_atoms(format: str) -> Callable[[Access], str]:
    """Return the function that makes the line of *format*, without its newline.

    Atoms are those of gunicorn's `access_log_format`; every value is escaped,
    numbers do not wrap. Raises ConfigError with the place of the mistake.
    """
    values: list[Value] = []

    def take(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%%"
        values.append(compile_atom(match))
        return "%s"

    template = _ATOM.sub(take, format)
    return lambda access: template % tuple([value(access) for value in values])
