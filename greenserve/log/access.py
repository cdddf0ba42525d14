"""The access log of one process."""

import sys

from greenserve.log.error import error_log
from greenserve.log.file import open_log_file
from greenserve.log.format import compile_access_format
from greenserve.log.line import Access
from greenserve.log.outflow import Outflow, Schedule


class AccessLog:
    """The access log of one process. It neither raises nor waits: a line that cannot be written is counted in `lost`."""

    def __init__(self, path: str, format: str, schedule: Schedule | None = None) -> None:
        """With *schedule* the lines of one turn of the loop are written together, and else each at once."""
        self._path = path
        self._format = compile_access_format(format)
        file = open_log_file("accesslog", path, sys.__stdout__)
        self._outflow = Outflow(file, schedule, self._note_loss, self._note_recovery)

    @property
    def lost(self) -> int:
        return self._outflow.lost

    def record(self, access: Access) -> None:
        self.write(self._format(access))

    def write(self, line: str) -> None:
        self._outflow.add(line.encode("utf-8", "backslashreplace") + b"\n")

    def flush(self) -> None:
        """Try once more to write what a slow reader has not taken."""
        self._outflow.flush()

    def _note_loss(self, reason: str) -> None:
        error_log.error("accesslog %r cannot be written (%s): its lines are lost until it can", self._path, reason)

    def _note_recovery(self, lost: int) -> None:
        error_log.warning("accesslog %r is written again, %d lines were lost", self._path, lost)

    def reopen(self) -> None:
        try:
            self._outflow.reopen()
        except OSError as error:
            error_log.error("accesslog %r cannot be reopened (%s): the old file goes on", self._path, error.strerror)

    def close(self) -> None:
        self._outflow.close()
