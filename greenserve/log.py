"""The error log and the access log: how a line looks, and how it reaches its file.

What to say is decided elsewhere. The one rule here: nothing a client sent can
end a line, begin a line or move a terminal's cursor. And nothing here raises
because a disk is full, or waits for a lock, since a worker logs from its hub.
"""

import base64
import contextlib
import functools
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TextIO

from greenserve.errors import ConfigError

#: Where the server speaks. Every part logs here; `open_error_log` decides what becomes of it.
error_log = logging.getLogger("greenserve.error")


# What may stand in a log.


def escape_character(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Printable ASCII, but for the quote and the backslash that would make a value ambiguous.
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


def escape(text: str) -> str:
    r"""Return *text* as plain ASCII, every other character as its code: `\x0a`.

    The strings of environ hold one byte in each character, so the line shows
    the very bytes that came.
    """
    return _UNSAFE.sub(lambda match: escape_character(match[0]), text)


def escape_controls(text: str) -> str:
    """Return *text* on one line and without terminal codes, in whatever script it is written."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escape_character(character) for character in text)


# The access line.


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

_ATOM = re.compile(r"%(?:%|\((?P<atom>[^()]*)\)(?P<layout>[-#0 +]*\d*(?:\.\d+)?)(?P<kind>[a-zA-Z])|)")


def find_text(atom: str) -> Value:
    """Return what reads *atom*; for one that nobody knows, what always says "-", as gunicorn does."""
    named = re.fullmatch(r"\{(.+)\}([ioe])", atom)
    return NAMED[named[2]](named[1]) if named else TEXTS.get(atom, missing)


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


def compile_access_format(format: str) -> Callable[[Access], str]:
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


# The files.


def standard_descriptor(path: str, default: TextIO | None) -> int | None:
    """Return the descriptor that *path* means, or None if it is the path of a file.

    -1, to which every write fails, if the stream was closed before we started:
    its number may by now be a client's connection.
    """
    streams = {"-": default, "/dev/stdout": sys.__stdout__, "/dev/stderr": sys.__stderr__}
    if path not in streams:
        return None
    stream = streams[path]
    return -1 if stream is None else stream.fileno()


def open_to_append(path: str) -> int:
    # Not 0o666: with --umask 0, gunicorn's default, anyone could write it.
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)


class LogFile:
    """A file, or a standard stream, that takes whole lines. Unbuffered, so nothing is ever pending."""

    def __init__(self, path: str, default: TextIO | None) -> None:
        standard = standard_descriptor(path, default)
        self.path = path
        self._reopens = standard is None
        self._descriptor = open_to_append(path) if standard is None else standard
        self._mend = b""

    def append(self, lines: bytes) -> None:
        """Write *lines*, as a rule in one system call. Raises OSError if they are lost, or the end of them."""
        rest = self._mend + lines
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            # What follows half a line begins on a line of its own.
            self._mend = b"\n" if len(rest) < len(lines) else self._mend
            raise
        self._mend = b""

    def reopen(self) -> None:
        """Open the path anew, for whoever moved the file away. Raises OSError, and goes on with the old one."""
        if self._reopens:
            fresh = open_to_append(self.path)
            os.dup2(fresh, self._descriptor, inheritable=False)
            os.close(fresh)

    def close(self) -> None:
        if self._reopens:
            os.close(self._descriptor)
            self._reopens = False
        self._descriptor = -1


def open_log_file(setting: str, path: str, default: TextIO | None) -> LogFile:
    """Return the open log. Raises ConfigError, which names *setting*."""
    try:
        return LogFile(path, default)
    except OSError as error:
        raise ConfigError(f"{setting} {path!r} cannot be opened for writing ({error.strerror})") from error


class AccessLog:
    """The access log of one process. It never raises: a line that cannot be written is counted in `lost`."""

    def __init__(self, path: str, format: str) -> None:
        self._format = compile_access_format(format)
        self._file = open_log_file("accesslog", path, sys.__stdout__)
        self.lost = 0
        self._lost_now = 0

    def record(self, access: Access) -> None:
        self.write(self._format(access))

    def write(self, line: str) -> None:
        """Append one line. The only place that can block on a slow disk or a full pipe."""
        try:
            self._file.append(line.encode("utf-8", "backslashreplace") + b"\n")
        except OSError as error:
            self._note_loss(error)
        else:
            self._note_recovery()

    def _note_loss(self, error: OSError) -> None:
        self.lost += 1
        self._lost_now += 1
        if self._lost_now == 1:
            error_log.error(
                "accesslog %r cannot be written (%s): its lines are lost until it can", self._file.path, error.strerror
            )

    def _note_recovery(self) -> None:
        if self._lost_now:
            error_log.warning("accesslog %r is written again, %d lines were lost", self._file.path, self._lost_now)
            self._lost_now = 0

    def reopen(self) -> None:
        try:
            self._file.reopen()
        except OSError as error:
            error_log.error("accesslog %r cannot be reopened (%s): the old file goes on", self._file.path, error.strerror)

    def close(self) -> None:
        self._file.close()


# The error log.


class Quoted:
    """An argument of a message: it may come from a client, so it stays within its line."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return escape_controls(str(self._value))

    def __repr__(self) -> str:
        return escape_controls(repr(self._value))


def quote(value: object) -> object:
    return value if isinstance(value, (int, float)) else Quoted(value)


def tame(text: str) -> str:
    """Return *text* with its lines kept, without control characters, and with no line that begins like a record."""
    lines = [escape_controls(line.replace("\t", "    ")) for line in text.split("\n")]
    return "\n".join(lines).replace("\n[", "\n [")


class ErrorFormatter(logging.Formatter):
    """`[2026-11-20 10:00:00 +0000] [pid] [INFO] message`, then the traceback.

    Newlines of a message and of a traceback stay, those of its arguments are
    escaped. No line but the first begins with "[", so none can pose as a record.
    """

    def __init__(self) -> None:
        super().__init__("[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s", "%Y-%m-%d %H:%M:%S %z")

    def format(self, record: logging.LogRecord) -> str:
        return tame(super().format(self._with_quoted_arguments(record)))

    def _with_quoted_arguments(self, record: logging.LogRecord) -> logging.LogRecord:
        copy = logging.makeLogRecord(vars(record))
        if isinstance(record.args, tuple):
            copy.args = tuple(map(quote, record.args))
        elif record.args:
            copy.args = {name: quote(value) for name, value in record.args.items()}
        return copy


class ErrorLog(logging.Handler):
    """Writes records to a LogFile, and loses them in silence if it cannot: there is nobody left to tell.

    It has no lock. One record is one write, which needs none, and a lock that a
    greenlet or the parent of a fork holds would stop whoever logs next.
    """

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self.file = file
        self.setFormatter(ErrorFormatter())

    def createLock(self) -> None:  # noqa: N802 - logging's name
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            self.file.append(self._text(record).encode("utf-8", "backslashreplace") + b"\n")

    def _text(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:
            # Wide, because formatting runs the __str__ of whatever is logged.
            copy = logging.makeLogRecord(vars(record) | {"exc_info": None, "exc_text": None, "stack_info": None})
            copy.msg, copy.args = "a message that cannot be written (%s): %s", (type(error).__name__, str(record.msg))
            return self.format(copy)

    def close(self) -> None:
        self.file.close()
        super().close()


def open_error_logs() -> list[ErrorLog]:
    return [handler for handler in error_log.handlers if isinstance(handler, ErrorLog)]


def open_error_log(path: str = "-", level: str = "info") -> None:
    """Send the error log to *path* ("-" is stderr) from *level* on, instead of where it went before.

    Raises ConfigError if that cannot be, and leaves everything as it was.
    """
    fresh = ErrorLog(open_log_file("errorlog", path, sys.__stderr__))
    close_error_log()
    error_log.addHandler(fresh)
    error_log.setLevel(level.upper())
    error_log.propagate = False


def write_error_text(text: str) -> None:
    """Append what an application writes to `wsgi.errors`, as it is but for terminal codes."""
    for log in open_error_logs():
        with contextlib.suppress(OSError):
            log.file.append(tame(text).encode("utf-8", "backslashreplace"))


def reopen_error_log() -> None:
    for log in open_error_logs():
        try:
            log.file.reopen()
        except OSError as error:
            error_log.error("errorlog %r cannot be reopened (%s): the old file goes on", log.file.path, error.strerror)


def close_error_log() -> None:
    for log in open_error_logs():
        error_log.removeHandler(log)
        log.close()
