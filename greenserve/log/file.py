"""How whole lines reach a file or a standard stream."""

import os
import sys
from typing import TextIO

from greenserve.errors import ConfigError


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
