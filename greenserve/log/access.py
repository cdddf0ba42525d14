"""The access log of one process."""

import sys

from greenserve.log.error import error_log
from greenserve.log.file import open_log_file
from greenserve.log.line import Access, compile_access_format


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
