"""The access log of one process."""

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from greenserve.log.configured import ACCESS, is_configured, our_logger
from greenserve.log.file import open_log_file
from greenserve.log.format import compile_access_format
from greenserve.log.line import Access, Atoms
from greenserve.log.outflow import Outflow, Schedule
from greenserve.log.syslog import INFO, Syslog, SyslogSocket

error_log = logging.getLogger("greenserve.error")


class Destination(ABC):
    """One that gets every line. What becomes of them is said in the error log."""

    def __init__(self, name: str, outflow: Callable[[Callable[[str], None], Callable[[int], None]], Outflow]) -> None:
        self._name = name
        self.outflow = outflow(self._note_loss, self._note_recovery)

    @abstractmethod
    def encode(self, line: str) -> bytes:
        """Return the bytes that *line* becomes here."""

    def reopen(self) -> None:
        try:
            self.outflow.reopen()
        except OSError as error:
            error_log.error("%s cannot be reopened (%s): the old file goes on", self._name, error.strerror)

    def _note_loss(self, reason: str) -> None:
        error_log.error("%s cannot be written (%s): its lines are lost until it can", self._name, reason)

    def _note_recovery(self, lost: int) -> None:
        error_log.warning("%s is written again, %d lines were lost", self._name, lost)


class FileDestination(Destination):
    def __init__(self, path: str, schedule: Schedule | None) -> None:
        file = open_log_file("accesslog", path, sys.__stdout__)
        super().__init__(f"accesslog {path!r}", lambda *notes: Outflow(file, schedule, *notes))

    def encode(self, line: str) -> bytes:
        return line.encode("utf-8", "backslashreplace") + b"\n"


class SyslogDestination(Destination):
    def __init__(self, syslog: Syslog, schedule: Schedule | None) -> None:
        self._syslog = syslog
        super().__init__(f"syslog {syslog.address}", lambda *notes: Outflow(SyslogSocket(syslog.address), schedule, *notes))

    def encode(self, line: str) -> bytes:
        return self._syslog.message("access", INFO, line)


class AccessLog:
    """The access log of one process. It neither raises nor waits: a line that cannot be written is counted in `lost`."""

    def __init__(self, format: str, destinations: Sequence[Destination]) -> None:
        self._format = compile_access_format(format)
        self._destinations = destinations

    @property
    def lost(self) -> int:
        return sum(each.outflow.lost for each in self._destinations)

    def record(self, access: Access) -> None:
        self.write(self._format(access))

    def write(self, line: str) -> None:
        for each in self._destinations:
            each.outflow.add(each.encode(line))

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
        destinations.append(FileDestination(path, schedule))
    if syslog:
        destinations.append(SyslogDestination(syslog, schedule))
    return AccessLog(format, destinations) if destinations else None
