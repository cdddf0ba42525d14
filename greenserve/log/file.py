"""Where lines go: a file, a named pipe or a standard stream, and never a wait for any of them.

Gathering lines and what becomes of lost ones is the business of outflow.py.
"""

import errno
import os
import stat
import sys
from typing import TextIO

from greenserve.errors import ConfigError
from greenserve.log.channel import Channel, reach


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
    """Return a descriptor of our own that takes bytes or refuses them, and does not wait."""
    flags = os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    # To read as well, of a named pipe: its reader may come later, leave, and come again.
    flags |= os.O_RDWR if is_pipe(path) else os.O_WRONLY
    # Not 0o666: with --umask 0, gunicorn's default, anyone could write it.
    return os.open(path, flags, 0o644)


def is_pipe(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


class LogFile:
    """A file, or a standard stream. Nothing is ever pending here."""

    def __init__(self, path: str, default: TextIO | None) -> None:
        self.path = path
        self._standard = standard_descriptor(path, default)
        self._channel = self._open()

    def _open(self) -> Channel:
        return Channel(open_to_append(self.path)) if self._standard is None else reach(self._standard)

    @property
    def piece(self) -> int:
        return self._channel.piece

    def write(self, data: bytes) -> int:
        """Write some of *data*; return how much. Raises BlockingIOError where it would have to wait, and other OSErrors."""
        return self._channel.write(data)

    def await_room(self, seconds: float) -> bool:
        return self._channel.await_room(seconds)

    def reopen(self) -> None:
        """Open the path anew, for whoever moved the file away. Raises OSError, and goes on with the old one."""
        if self._standard is None:
            self.reattach()

    def reattach(self) -> None:
        """Do so for a standard stream too, which has become another one."""
        old, self._channel = self._channel, self._open()
        old.close()

    def close(self) -> None:
        self._channel.close()
        self._channel = Channel(-1)


def open_log_file(setting: str, path: str, default: TextIO | None) -> LogFile:
    """Return the open log. Raises ConfigError, which names *setting*."""
    try:
        return LogFile(path, default)
    except OSError as error:
        raise ConfigError(f"{setting} {path!r} cannot be opened for writing ({error.strerror})") from error


def check_log_file(setting: str, path: str) -> None:
    """See that it could be opened by whoever we are now, and leave none behind. Raises ConfigError, which names *setting*."""
    if standard_descriptor(path, sys.__stdout__) is not None:
        return
    folder = os.path.join(os.path.dirname(path) or ".", "")
    try:
        if is_pipe(path):
            # Only asked: to who reads it, our opening and closing would be the end.
            need_access(path, os.R_OK | os.W_OK)
        elif os.path.lexists(path):
            os.close(open_to_append(path))
        else:
            need_access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise ConfigError(f"{setting} {path!r} cannot be opened for writing ({error.strerror})") from error


def need_access(path: str, mode: int) -> None:
    """Raise OSError unless we may do that with *path*."""
    os.stat(path)
    if not os.access(path, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
