"""The access log of one process."""

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial

from greenserve.log.configured import ACCESS, is_configured, our_logger
from greenserve.log.file import open_log_file
from greenserve.log.format import compile_access_format
from greenserve.log.line import Access, Atoms
from greenserve.log.outflow import Outflow, Schedule, Taker
from greenserve.log.syslog import INFO, Syslog, SyslogSocket

error_log = logging.getLogger("greenserve.error")


class Destination:
    """One that gets every line, as the bytes that *encode* makes of it. What becomes of them is said in the error log."""

    def __init__(self, name: str, file: Taker, schedule: Schedule | None, encode: Callable[[str], bytes]) -> None:
        self._name = name
        self._encode = encode
        self.outflow = Outflow(file, schedule, self._note_loss, self._note_recovery)

    def write(self, line: str) -> None:
        self.outflow.add(self._encode(line))

    def reopen(self) -> None:
        try:
            self.outflow.reopen()
        except OSError as error:
            error_log.error("%s cannot be reopened (%s): the old file goes on", self._name, error.strerror)

    def _note_loss(self, reason: str) -> None:
        error_log.error("%s cannot be written (%s): its lines are lost until it can", self._name, reason)

    def _note_recovery(self, lost: int) -> None:
        error_log.warning("%s is written again, %d lines were lost", self._name, lost)


def encode_line(line: str) -> bytes:
    return f"{line}\n".encode("utf-8", "backslashreplace")


def open_file(path: str, schedule: Schedule | None) -> Destination:
    return Destination(f"accesslog {path!r}", open_log_file("accesslog", path, sys.__stdout__), schedule, encode_line)


def open_syslog(syslog: Syslog, schedule: Schedule | None) -> Destination:
    encode = partial(syslog.message, "access", INFO)
    return Destination(f"syslog {syslog.address}", SyslogSocket(syslog.address), schedule, encode)


class AccessLog:
    """The access log of one process. It neither raises nor waits: a line that cannot be written is counted in `lost`."""

    def __init__(self, format: str, destinations: Sequence[Destination]) -> None:
        self._format = compile_access_format(format)
        self._destinations = destinations

    @property
    def lost(self) -> int:
        return sum(each.outflow.lost for each in self._destinations)

    def record(self, access: Access) -> None:
        line = self._format(access)
        for each in self._destinations:
            each.write(line)

    def write(self, line: str) -> None:
        for each in self._destinations:
            each.write(line)

    def flush(self) -> None:
        """Try once more to write what a slow reader has not taken."""
        for each in self._destinations:
            each.outflow.flush()

    def reopen(self) -> None:
        for each in self._destinations:
            each.reopen()

    def close(self) -> None:
        for each in self._destinations:
            each.outflow.close()


class ConfiguredAccessLog(AccessLog):
    """Gives each line to the logger greenserve.access, with the atoms as its arguments, as gunicorn does."""

    def __init__(self, format: str) -> None:
        super().__init__(format, ())
        self._logger = our_logger(ACCESS)
        if self._logger.level == logging.NOTSET:
            self._logger.setLevel(logging.INFO)
        self._failed = 0

    @property
    def lost(self) -> int:
        return self._failed

    def record(self, access: Access) -> None:
        try:
            self._logger.info(self._format(access).replace("%", "%%"), Atoms(access))
        # Wide, because it runs handlers that are not ours, at the end of a request that went well.
        except Exception:
            self._failed += 1


def open_access_log(
    path: str | None, format: str, schedule: Schedule | None = None, syslog: Syslog | None = None
) -> AccessLog | None:
    """Return the open log, or None if it is to go nowhere. Raises ConfigError.

    If the user has configured the logger of access lines, it gets them and
    nobody else.

    With *schedule* the lines of one turn of the loop are written together, and
    else each at once.
    """
    if is_configured(ACCESS):
        return ConfiguredAccessLog(format)
    destinations: list[Destination] = []
    if path:
        destinations.append(open_file(path, schedule))
    if syslog:
        destinations.append(open_syslog(syslog, schedule))
    return AccessLog(format, destinations) if destinations else None
