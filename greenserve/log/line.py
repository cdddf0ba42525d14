"""The access line: gunicorn's atoms, compiled once into a template that an Access fills."""

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from greenserve.errors import ConfigError
from greenserve.log.escape import SAFE, escape


class Access:
    """What is known of one exchange when it is over."""

    __slots__ = ("elapsed", "environ", "fields", "pid", "sent", "started", "status")

    def __init__(
        self,
        environ: dict[str, Any],
        status: str | int,
        fields: list[tuple[str, str]],
        sent: int | None,
        started: float,
        elapsed: float,
        pid: int,
    ) -> None:
        self.environ = environ
        #: "200 OK" or 200.
        self.status = status
        #: The fields of the response.
        self.fields = fields
        #: Bytes of content sent; None if nobody counted.
        self.sent = sent
        #: When it began, in seconds since the epoch.
        self.started = started
        #: Seconds from the first to the last byte.
        self.elapsed = elapsed
        self.pid = pid


#: Reads an atom as it is, of whatever type and unescaped.
Reader = Callable[[Access], object]
#: Returns what may stand in a line.
Value = Callable[[Access], str]
Number = Callable[[Access], "int | None"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def show(value: object) -> str:
    """Return *value* for a line; "-" if it is missing, or an object whose text is the application's code."""
    if isinstance(value, str):
        return escape(value)
    return str(int(value)) if isinstance(value, int) else "-"


class Instants:
    """The texts of the last few seconds."""

    def __init__(self, write: Callable[[int], str]) -> None:
        self._write = write
        self._written: dict[int, str] = {}

    def text(self, second: int) -> str:
        text = self._written.get(second)
        return self._add(second) if text is None else text

    def _add(self, second: int) -> str:
        if len(self._written) >= 4:
            self._written.clear()
        text = self._written[second] = self._write(second)
        return text


def format_time(second: int) -> str:
    """Return `[20/Nov/2026:10:00:00 +0000]` in local time; English whatever the locale."""
    local = time.localtime(second)
    return time.strftime(f"[%d/{_MONTHS[local.tm_mon - 1]}/%Y:%H:%M:%S %z]", local)


instants = Instants(format_time)


class Variable:
    """Reads the first of *keys* that environ has."""

    __slots__ = ("keys",)

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def __call__(self, access: Access) -> object:
        for key in self.keys:
            if key in access.environ:
                return access.environ[key]
        return "-"


REQUEST_LINE = (Variable("REQUEST_METHOD"), Variable("RAW_URI"), Variable("SERVER_PROTOCOL"))


def request_line(access: Access) -> str:
    words = [word(access) for word in REQUEST_LINE]
    return " ".join([word if isinstance(word, str) else show(word) for word in words])


def remote_address(access: Access) -> object:
    """Return who asks; "-" if it came over a unix socket."""
    address = access.environ.get("REMOTE_ADDR", "-")
    return address or "-" if isinstance(address, str) else address


def basic_user(access: Access) -> str:
    """Return the user name of HTTP Basic credentials; never anything that could be the secret."""
    value = access.environ.get("HTTP_AUTHORIZATION")
    return find_basic_user(value) if isinstance(value, str) else "-"


def find_basic_user(value: str) -> str:
    scheme, _, credentials = value.partition(" ")
    if scheme.lower() != "basic":
        return "-"
    try:
        user, colon, _ = base64.b64decode(credentials, validate=True).partition(b":")
    except ValueError:
        return "-"
    return user.decode("latin-1") if colon and user else "-"


def request_field(name: str) -> Variable:
    key = name.upper().replace("-", "_")
    return Variable(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}")


def response_field(name: str) -> Reader:
    """Return what reads the field *name* of the response, the last one if there are several."""
    wanted = name.lower()
    return lambda access: next((value for name, value in reversed(access.fields) if name.lower() == wanted), "-")


def environ_variable(name: str) -> Variable:
    return Variable(name) if name == name.upper() else Variable(name, name.upper())


def when(access: Access) -> str:
    return instants.text(int(access.started))


def status_code(access: Access) -> str:
    return str(access.status)[:3]


def sent(access: Access) -> str:
    return "-" if access.sent is None else str(access.sent)


def missing(_: Access) -> str:
    return "-"


TEXTS: dict[str, Reader] = {
    "h": remote_address,
    "l": missing,
    "u": basic_user,
    "t": when,
    "r": request_line,
    "m": Variable("REQUEST_METHOD"),
    "U": Variable("PATH_INFO"),
    "q": Variable("QUERY_STRING"),
    "H": Variable("SERVER_PROTOCOL"),
    "s": status_code,
    "b": sent,
    "f": Variable("HTTP_REFERER"),
    "a": Variable("HTTP_USER_AGENT"),
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
NAMED: dict[str, Callable[[str], Reader]] = {"i": request_field, "o": response_field, "e": environ_variable}

_ATOM = re.compile(r"%(?:%|\((?P<atom>[^()]*)\)(?P<layout>[-#0 +]*\d{0,3}(?:\.\d{1,3})?)(?P<kind>[a-zA-Z])|)")


def find_text(atom: str) -> Reader:
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
        return show(find_text(atom)(self._access))

    def __iter__(self) -> Iterator[str]:
        return iter((*TEXTS, *NUMBERS))

    def __len__(self) -> int:
        return len(TEXTS) + len(NUMBERS)


class Gap(NamedTuple):
    """A place in the line that is filled."""

    #: Returns what is to be seen there.
    show: Value
    #: Returns the same in haste: a string that may have to be escaped, or an object that is no string.
    read: Reader


def shown(read: Reader) -> Gap:
    return Gap(lambda access: show(read(access)), read)


def laid_out(read: Reader, layout: str) -> Gap:
    def show_it(access: Access) -> str:
        return layout % show(read(access))

    return Gap(show_it, show_it)


def numbered(number: Number, layout: str) -> Gap:
    def show_it(access: Access) -> str:
        value = number(access)
        return "-" if value is None else layout % value

    return Gap(show_it, show_it)


def count_unsafe(text: str) -> int:
    """Return how much of *text* `escape` would not leave as it is, counted in bytes."""
    # A search takes twice as long, and more if the text is long.
    return len(text.encode("utf-8", "backslashreplace").translate(None, SAFE))


class Template:
    """The text of a format, and the gaps in it.

    Values are put in as they are, and then the whole line is looked at: that
    takes a third of the time of looking at each. If there is more to escape than
    the text itself brings, or an object that is no string, the line is made
    again, value by value.
    """

    __slots__ = ("_computed", "_gaps", "_pieces", "_unsafe", "_variables")

    def __init__(self, parts: Sequence[str | Gap]) -> None:
        gaps = [(place, part) for place, part in enumerate(parts) if isinstance(part, Gap)]
        plain = {place: gap.read.keys[0] for place, gap in gaps if isinstance(gap.read, Variable) and len(gap.read.keys) == 1}
        self._gaps = gaps
        #: The text, and "-" in each gap.
        self._pieces = [part if isinstance(part, str) else "-" for part in parts]
        #: The gaps that are filled by one key of environ, and the others.
        self._variables = list(plain.items())
        self._computed = [(place, gap.read) for place, gap in gaps if place not in plain]
        self._unsafe = count_unsafe("".join(self._pieces))

    def line(self, access: Access) -> str:
        """Return the line, without its newline."""
        pieces: list[Any] = self._pieces[:]
        environ = access.environ
        for place, key in self._variables:
            pieces[place] = environ.get(key, "-")
        for place, read in self._computed:
            pieces[place] = read(access)
        try:
            line = "".join(pieces)
        except TypeError:
            return self._line_by_value(access)
        return line if count_unsafe(line) == self._unsafe else self._line_by_value(access)

    def _line_by_value(self, access: Access) -> str:
        pieces = self._pieces[:]
        for place, gap in self._gaps:
            pieces[place] = gap.show(access)
        return "".join(pieces)


def refuse_atom(match: re.Match[str], reason: str) -> ConfigError:
    where = f"{match[0]!r} at character {match.start() + 1}"
    return ConfigError(f"access_log_format: {where} {reason}")


def compile_atom(match: re.Match[str]) -> Iterator[str | Gap]:
    """Yield what stands in place of what *match* found. Raises ConfigError if it cannot be read so."""
    atom, kind = match["atom"], match["kind"]
    if match[0] == "%%":
        yield "%"
        return
    if atom is None:
        raise refuse_atom(match, "is not an atom: write %(name)s, or %% for a percent sign")
    layout = f"%{match['layout']}{kind}"
    if atom in NUMBERS and kind in "sdi":
        yield numbered(NUMBERS[atom], layout)
    elif kind != "s":
        raise refuse_atom(match, f"cannot be written as {kind!r}: write %({atom})s")
    elif layout != "%s":
        yield laid_out(find_text(atom), layout)
    elif atom == "r":
        method, target, protocol = map(shown, REQUEST_LINE)
        yield from (method, " ", target, " ", protocol)
    else:
        read = find_text(atom)
        yield "-" if read is missing else shown(read)


def compile_atoms(format: str) -> Callable[[Access], str]:
    """Return the function that makes the line of *format*, without its newline.

    Atoms are those of gunicorn's `access_log_format`; every value is escaped,
    numbers do not wrap. Raises ConfigError with the place of the mistake.
    """
    parts: list[str | Gap] = []
    end = 0
    for match in _ATOM.finditer(format):
        parts += (format[end : match.start()], *compile_atom(match))
        end = match.end()
    return Template(merge_texts([*parts, format[end:]])).line


def merge_texts(parts: Sequence[str | Gap]) -> list[str | Gap]:
    """Return the same with one text between one gap and the next."""
    merged: list[str | Gap] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged
