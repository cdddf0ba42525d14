"""The error log: where the server speaks, by the logger `greenserve.error` of the standard library."""

import logging
import sys
import time
from collections.abc import Mapping

from greenserve.log.capture import recapture_output
from greenserve.log.configured import ERROR, is_configured, reopen_configured
from greenserve.log.escape import escape_controls
from greenserve.log.file import LogFile, open_log_file
from greenserve.log.outflow import Outflow
from greenserve.log.syslog import Syslog, SyslogSocket

#: Every part logs here; `open_error_log` decides what becomes of it.
error_log = logging.getLogger("greenserve.error")

#: Seconds until what was not taken is offered again.
RETRY = 0.5

Arguments = tuple[object, ...] | Mapping[str, object] | None


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


def quote_arguments(arguments: Arguments) -> Arguments:
    if isinstance(arguments, tuple):
        return tuple(map(quote, arguments))
    return {name: quote(value) for name, value in arguments.items()} if arguments else arguments


def tame(text: str) -> str:
    """Return *text* with its lines kept, without control characters, and with no line that begins like a record."""
    lines = [escape_controls(line.replace("\t", "    ")) for line in text.split("\n")]
    return "\n".join(lines).replace("\n[", "\n [")


class ErrorFormatter(logging.Formatter):
    """`[2026-11-20 10:00:00 +0000] [pid] [INFO] message`, then the traceback.

    Newlines of a message and of a traceback stay, those of its arguments are
    escaped. No line but the first begins with "[", so none can pose as a record.
    """

    def __init__(self, layout: str = "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s") -> None:
        super().__init__(layout, "%Y-%m-%d %H:%M:%S %z")

    def format(self, record: logging.LogRecord) -> str:
        return tame(super().format(self._with_quoted_arguments(record)))

    def _with_quoted_arguments(self, record: logging.LogRecord) -> logging.LogRecord:
        copy = logging.makeLogRecord(vars(record))
        copy.args = quote_arguments(record.args)
        return copy


class ErrorLog(logging.Handler):
    """Writes records to a file, and tells only later if it cannot: there is nobody else to tell.

    It has no lock. A lock that a greenlet or the parent of a fork holds would
    stop whoever logs next.
    """

    def __init__(self, destination: str | Syslog, file: LogFile | SyslogSocket) -> None:
        super().__init__()
        self.destination = destination
        self.outflow = Outflow(file, note_loss=self._note_loss, note_recovery=self._note_recovery)
        self.setFormatter(ErrorFormatter())

    def _note_loss(self, reason: str) -> None:
        """It could not be written either."""

    def _note_recovery(self, lost: int) -> None:
        error_log.warning("errorlog %r is written again, %d lines were lost", self.outflow.file.path, lost)

    def createLock(self) -> None:  # noqa: N802 - logging's name
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        self.outflow.add(self._encode(record))

    def _encode(self, record: logging.LogRecord) -> bytes:
        return self._text(record).encode("utf-8", "backslashreplace") + b"\n"

    def _text(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:
            # Wide, because formatting runs the __str__ of whatever is logged.
            copy = logging.makeLogRecord(vars(record) | {"exc_info": None, "exc_text": None, "stack_info": None})
            message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
            copy.msg, copy.args = "a message that cannot be written (%s): %s", (type(error).__name__, message)
            return self.format(copy)

    def close(self) -> None:
        self.outflow.close()
        super().close()


class ErrorSyslog(ErrorLog):
    """The same for syslog, which knows the time and the level by itself."""

    def __init__(self, syslog: Syslog) -> None:
        super().__init__(syslog, SyslogSocket(syslog.address))
        self._syslog = syslog
        self.setFormatter(ErrorFormatter("%(message)s"))

    def _note_loss(self, reason: str) -> None:
        error_log.error(
            "syslog %s cannot be written (%s): what the server has to say is only in errorlog", self._syslog.address, reason
        )

    def _note_recovery(self, lost: int) -> None:
        error_log.warning("syslog %s is written again, %d lines were lost", self._syslog.address, lost)

    def _encode(self, record: logging.LogRecord) -> bytes:
        return self._syslog.message("error", record.levelname, self._text(record))


class QuoteArguments(logging.Filter):
    """For handlers that are not ours: what a client sent stays within its line whatever their format."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.args = quote_arguments(record.args)
        return True


def open_error_logs() -> list[ErrorLog]:
    return [handler for handler in error_log.handlers if isinstance(handler, ErrorLog)]


def open_error_log(path: str = "-", level: str = "info", syslog: Syslog | None = None) -> None:
    """Send the error log to *path* ("-" is stderr) and *syslog* from *level* on, instead of where it went before.

    Raises ConfigError if that cannot be, and leaves everything as it was.
    """
    # The same one goes on at a reload: its reader may be slow, and nobody waits for that.
    wanted: list[str | Syslog] = [path] if syslog is None else [path, syslog]
    if wanted != [log.destination for log in open_error_logs()]:
        fresh = [open_destination(each) for each in wanted]
        close_error_log()
        for log in fresh:
            error_log.addHandler(log)
    error_log.setLevel(level.upper())
    error_log.propagate = False


def use_configured_error_log(level: str) -> None:
    """Leave the error log to the handlers that the user's configuration gave it."""
    close_error_log()
    if error_log.level == logging.NOTSET:
        error_log.setLevel(level.upper())
    error_log.addFilter(QuoteArguments())


def open_destination(destination: str | Syslog) -> ErrorLog:
    if isinstance(destination, Syslog):
        return ErrorSyslog(destination)
    return ErrorLog(destination, open_log_file("errorlog", destination, sys.__stderr__))


def write_error_text(text: str) -> None:
    """Append what an application writes to `wsgi.errors`, as it is but for terminal codes; syslog has only whole messages."""
    if is_configured(ERROR) and text.strip():
        error_log.error("%s", text.rstrip())
    for log in open_error_logs():
        if isinstance(log, ErrorSyslog):
            continue
        log.outflow.add(tame(text).encode("utf-8", "backslashreplace"))


def flush_error_log() -> float | None:
    """Write what a slow reader did not take before; return the monotonic time to try again, or None if all is written."""
    for log in open_error_logs():
        log.outflow.flush()
    return time.monotonic() + RETRY if any(log.outflow.pending for log in open_error_logs()) else None


def reopen_error_log() -> None:
    for log in open_error_logs():
        try:
            log.outflow.reopen()
        except OSError as error:
            error_log.error("errorlog %r cannot be reopened (%s): the old file goes on", log.outflow.file.path, error.strerror)
    try:
        reopen_configured()
        recapture_output()
    except OSError as error:
        error_log.error("a log file cannot be reopened (%s): the old file goes on", error)


def leave_standard_streams() -> None:
    """Let go of what stdout and stderr were before they were replaced."""
    for log in open_error_logs():
        if isinstance(log.outflow.file, LogFile):
            log.outflow.file.reattach()


def close_error_log() -> None:
    """Write what is left, and say no more; a slow reader has a moment for it."""
    for log in open_error_logs():
        error_log.removeHandler(log)
        log.close()
