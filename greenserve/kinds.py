"""The kinds of values a setting can have: from what a person wrote to what the server uses.

A kind reads text (from flags and variables) as well as native values (from
TOML and Python files) and answers the same for both. It knows no setting and
no source, so what it raises is the end of a sentence that they begin:
"--workers many" + "is not a whole number from 1 up".
"""

import difflib
import grp
import json
import math
import os.path
import pwd
import re
import socket
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar, Generic, Literal, NamedTuple, TypeVar

T = TypeVar("T")


class Refused(ValueError):
    """The value is not of its kind; the text says why, as in "is not a number"."""


def quoted(value: object) -> str:
    """Return *value* as a file would spell it, on one line, safe for a terminal, and cut."""
    try:
        return shortened(json.dumps(value, default=repr))
    except (RecursionError, ValueError):
        # A list that holds itself.
        return shortened(repr(value))


def printable(text: str) -> str:
    """Return *text* as it is, or quoted if a terminal cannot show it on one line."""
    return text if text and text.isprintable() else json.dumps(text)


def shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def suggest(word: str, known: Collection[str]) -> str:
    """Return '; did you mean X?' with the nearest of *known*, or nothing if none is near."""
    nearest = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else ""


class Kind(ABC, Generic[T]):
    """One kind of value. A subclass says what it expects and parses; the rest follows."""

    #: A noun phrase: "a whole number from 1 up".
    expects: str
    #: What stands for the value in --help.
    metavar: str
    #: Whether a value can be written as text; a function cannot, and stands in Python files only.
    typed: ClassVar[bool] = True

    def read(self, given: object) -> T:
        """Return the value that *given* means, or raise Refused with what was expected."""
        try:
            return self.parse(given)
        except Refused:
            raise
        except (ValueError, TypeError, OverflowError):
            raise Refused(f"is not {self.expects}") from None

    @abstractmethod
    def parse(self, given: object) -> T:
        """Return the value, or raise ValueError or TypeError for what is not of this kind."""

    def show(self, value: T) -> str:
        """Return the value as --print-config shows it, without secrets."""
        return str(value)

    def conceal(self, spelled: str) -> str:
        """Return what was written, as a refusal may quote it."""
        return spelled

    def anchor(self, value: T, directory: str) -> T:
        """Return the value with its paths made absolute; they are relative to *directory*."""
        return value


def text_of(given: object) -> str:
    """Return *given* if it is text that names something, to the system too: no NUL, and no half of a character.

    Bytes that are no UTF-8, as names of files may have them, are let through in Python's disguise.
    """
    if not isinstance(given, str) or not given or "\0" in given:
        raise TypeError
    given.encode("utf-8", "surrogateescape")
    return given


class Text(Kind[str]):
    def __init__(self, expects: str = "a text", metavar: str = "TEXT") -> None:
        self.expects, self.metavar = expects, metavar

    def parse(self, given: object) -> str:
        return text_of(given)

    def show(self, value: str) -> str:
        return printable(value) if value else "none"


class Choice(Kind[str]):
    """One of a few words, in any case."""

    def __init__(self, *words: str, metavar: str) -> None:
        self.words, self.metavar = words, metavar
        self.expects = f"one of {', '.join(words)}"

    def parse(self, given: object) -> str:
        word = text_of(given).lower()
        if word not in self.words:
            raise Refused(f"is not {self.expects}{suggest(word, self.words)}")
        return word


class Switch(Kind[bool]):
    expects = "true or false"
    metavar = "BOOLEAN"

    _WORDS: ClassVar[dict[str, bool]] = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }

    def parse(self, given: object) -> bool:
        if isinstance(given, bool):
            return given
        word = text_of(given).lower()
        if word not in self._WORDS:
            raise ValueError
        return self._WORDS[word]

    def show(self, value: bool) -> str:
        return "true" if value else "false"


def digits_of(given: object) -> int:
    """Return a whole number, written with ASCII digits if it is text; True is not 1 here."""
    if isinstance(given, str) and re.fullmatch(r"[0-9]+", given):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise TypeError


class Whole(Kind[int]):
    def __init__(self, low: int = 0, high: int | None = None, metavar: str = "N") -> None:
        self.low, self.high, self.metavar = low, high, metavar
        self.expects = f"a whole number from {low} " + ("up" if high is None else f"to {high}")

    def parse(self, given: object) -> int:
        number = digits_of(given)
        if number < self.low or (self.high is not None and number > self.high):
            raise ValueError
        return number


#: What the kernel's functions take for a descriptor, and for how many may wait to be accepted.
MOST_INT = 2**31 - 1


class Seconds(Kind[float]):
    """A length of time. *zero* says whether none at all is a length too."""

    metavar = "SECONDS"

    def __init__(self, zero: bool = True) -> None:
        self.zero = zero
        self.expects = "a number of seconds " + ("from 0 up" if zero else "above 0")

    def parse(self, given: object) -> float:
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            raise TypeError
        if isinstance(given, str) and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", given):
            raise ValueError
        seconds = float(given)
        if not math.isfinite(seconds) or seconds < 0 or (seconds == 0 and not self.zero):
            raise ValueError
        return seconds

    def show(self, value: float) -> str:
        return f"{value:g}"


class Size(Kind[int]):
    """A number of bytes, with k, m or g for powers of 1024."""

    metavar = "BYTES"

    _UNITS: ClassVar[dict[str, int]] = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

    def __init__(self, low: int = 0) -> None:
        self.low = low
        self.expects = f"a number of bytes from {low} up, such as 8190, 64k, 10m or 1g"

    def parse(self, given: object) -> int:
        number, unit = given, ""
        if isinstance(given, str) and given[-1:].isalpha():
            number, unit = given[:-1], given[-1].lower()
        if unit not in self._UNITS:
            raise ValueError
        return Whole(self.low).parse(digits_of(number) * self._UNITS[unit])

    def show(self, value: int) -> str:
        for unit, size in reversed(self._UNITS.items()):
            if value and value % size == 0:
                return f"{value // size}{unit}"
        return str(value)


class Permissions(Kind[int]):
    """A mask or a mode of files. Text is octal however it begins: "22", "022" and "0o22" are the same, as in a shell."""

    def __init__(self, sort: str, example: str) -> None:
        self.expects, self.metavar = f"an octal {sort} from 0 to 0o777, such as {example}", sort.upper()

    def parse(self, given: object) -> int:
        number = int(given, 8) if isinstance(given, str) else digits_of(given)
        return Whole(0, 0o777).parse(number)

    def show(self, value: int) -> str:
        return f"0o{value:03o}"


class Account(Kind[int | str]):
    """A user or group: an id, or a name this system knows, kept as given."""

    def __init__(self, sort: Literal["user", "group"]) -> None:
        self.sort, self.metavar = sort, sort.upper()
        self.expects = f"the name or number of a {sort}"

    def parse(self, given: object) -> int | str:
        if not isinstance(given, str) or given.isdigit():
            # The id above means "no change" to the kernel.
            return Whole(0, 2**32 - 2).parse(given)
        names = self.names()
        if text_of(given) not in names:
            raise Refused(f"is not a {self.sort} of this system{suggest(given, names)}")
        return given

    def names(self) -> list[str]:
        if self.sort == "user":
            return [entry.pw_name for entry in pwd.getpwall()]
        return [entry.gr_name for entry in grp.getgrall()]


class File(Kind[str]):
    """A path. A *stream* is what "-" stands for, where that is a file too."""

    metavar = "FILE"

    def __init__(self, stream: str = "") -> None:
        self.stream = stream
        self.expects = f'a path, or "-" for {stream}' if stream else "a path"

    def parse(self, given: object) -> str:
        return text_of(given)

    def show(self, value: str) -> str:
        return printable(value)

    def anchor(self, value: str, directory: str) -> str:
        return value if self.stream and value == "-" else os.path.normpath(os.path.join(directory, value))


class Directory(File):
    metavar = "DIR"


class Variable(Kind[str]):
    """NAME=VALUE, for the environment. What a person may not see on a screen is masked."""

    expects = "NAME=VALUE"
    metavar = "NAME=VALUE"

    _SECRET_NAME = re.compile(r"SECRET|PASSW|PWD|TOKEN|KEY|CREDENTIAL|AUTH", re.IGNORECASE)
    _URL_PASSWORD = re.compile(r"(://[^/@\s]*?:)[^/\s]*@")

    def parse(self, given: object) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=[^\0]*", text_of(given), re.DOTALL):
            raise ValueError
        return text_of(given)

    def show(self, value: str) -> str:
        name, _, content = value.partition("=")
        if self._SECRET_NAME.search(name):
            return f"{name}=***"
        return printable(name + "=" + self._URL_PASSWORD.sub(r"\1***@", content))

    def conceal(self, spelled: str) -> str:
        name, equals, _ = spelled.partition("=")
        return f"{name}=***" if equals else name


class Address(NamedTuple):
    """Where to listen. `str()` gives the one spelling of it that logs and files use."""

    kind: Literal["tcp", "unix", "fd"]
    host: str = ""
    port: int = 0
    path: str = ""
    fd: int = -1

    @property
    def abstract(self) -> bool:
        """Whether it is a name that Linux keeps for us, and no file."""
        return self.path.startswith("@")

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.path}"
        if self.kind == "fd":
            return f"fd://{self.fd}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Bind(Kind[Address]):
    """One address to listen on. What is left out is filled in.

    A port alone is 127.0.0.1's, because whoever wants the whole network to
    reach a server can be asked to say so: ":8000", "*:8000" and "0.0.0.0:8000"
    are every IPv4 interface. An IP address or "localhost" alone has port 8000,
    as gunicorn has it; another lone word is refused, as it is more often a slip.
    """

    expects = "HOST:PORT, [IPv6]:PORT, unix:PATH, unix:@NAME, fd://N, or a port"
    metavar = "ADDRESS"

    def parse(self, given: object) -> Address:
        if isinstance(given, Address):
            return given
        if isinstance(given, int):
            return Address("tcp", "127.0.0.1", parse_port(given))
        text = text_of(given)
        if text.startswith("unix:"):
            return Address("unix", path=File().parse(text.removeprefix("unix:").removeprefix("//")))
        if text.startswith("fd://"):
            return Address("fd", fd=Whole(0, MOST_INT).parse(text.removeprefix("fd://")))
        return parse_tcp(text.removeprefix("tcp://"))

    def anchor(self, value: Address, directory: str) -> Address:
        return value if value.kind != "unix" or value.abstract else value._replace(path=File().anchor(value.path, directory))


def parse_port(given: object) -> int:
    return Whole(0, 65535).parse(given)


def parse_tcp(text: str) -> Address:
    if text.isdigit():
        return Address("tcp", "127.0.0.1", parse_port(text))
    match = re.fullmatch(r"(\[[^]]+\]|[^:\[\]]*)(?::([0-9]+))?", text)
    if match is None:
        raise Refused(f"is not {Bind.expects}" + ("; an IPv6 address stands in brackets" if text.count(":") > 1 else ""))
    host, port = match[1], match[2]
    if port is None and not (host.startswith("[") or host == "localhost" or is_address(socket.AF_INET, host)):
        raise ValueError
    return Address("tcp", parse_host(host), parse_port(port or "8000"))


def parse_host(host: str) -> str:
    if host in ("", "*"):
        return "0.0.0.0"
    if host.startswith("["):
        if not is_address(socket.AF_INET6, host[1:-1].partition("%")[0]):
            raise ValueError
        return host[1:-1]
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", host):
        raise ValueError
    return host.lower()


def is_address(family: socket.AddressFamily, host: str) -> bool:
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        return False
    return True


class Maybe(Kind[T | None]):
    """The value, or none at all; an empty text says none where a file knows no other word for it."""

    def __init__(self, kind: Kind[T]) -> None:
        self.kind = kind
        self.expects, self.metavar = kind.expects, kind.metavar

    def parse(self, given: object) -> T | None:
        return None if given is None or given == "" else self.kind.parse(given)

    def show(self, value: T | None) -> str:
        return "none" if value is None else self.kind.show(value)

    def conceal(self, spelled: str) -> str:
        return self.kind.conceal(spelled)

    def anchor(self, value: T | None, directory: str) -> T | None:
        return None if value is None else self.kind.anchor(value, directory)


class Several(Kind[tuple[T, ...]]):
    """At least *least* values: a list, or one text with *separator* between them."""

    def __init__(self, kind: Kind[T], separator: str = ",", least: int = 0) -> None:
        self.kind, self.separator, self.least = kind, separator, least
        self.expects, self.metavar = kind.expects, kind.metavar

    def parse(self, given: object) -> tuple[T, ...]:
        items = list(given) if isinstance(given, (list, tuple)) else [given]
        split = [part for item in items for part in self._split(item)]
        if len(split) < self.least:
            raise ValueError
        return tuple(self._read_item(item, alone=len(split) == 1) for item in split)

    def _split(self, item: object) -> list[object]:
        if not isinstance(item, str):
            return [item]
        return [part.strip() for part in item.split(self.separator) if part.strip()]

    def _read_item(self, item: object, alone: bool) -> T:
        try:
            return self.kind.read(item)
        except Refused as refused:
            raise refused if alone else Refused(f"has {self.kind.conceal(quoted(item))}, which {refused}") from None

    def show(self, value: tuple[T, ...]) -> str:
        return ", ".join(self.kind.show(item) for item in value) or "none"

    def conceal(self, spelled: str) -> str:
        return self.kind.conceal(spelled)

    def anchor(self, value: tuple[T, ...], directory: str) -> tuple[T, ...]:
        return tuple(self.kind.anchor(item, directory) for item in value)
