"""The file that says which process the master is.

Written whole or not at all, never over the file of a server that lives, and
removed only by the process it names.
"""

import logging
import os
from contextlib import suppress

from greenserve.errors import ConfigError

log = logging.getLogger("greenserve.error")


class Pidfile:
    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, uid: int = -1, gid: int = -1) -> None:
        """Write our pid; raise ConfigError if another server lives, or the file cannot be written."""
        other = self.find_living()
        if other is not None:
            raise ConfigError(
                f"--pid {self._path} names pid {other}, which is alive: stop that server first, or use another file"
            )
        draft = f"{self._path}.{os.getpid()}"
        try:
            with open(draft, "w") as file:
                file.write(f"{os.getpid()}\n")
                os.fchown(file.fileno(), uid, gid)
            os.replace(draft, self._path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(draft)
            raise ConfigError(f"--pid {self._path} cannot be written: {error.strerror}") from None

    def move(self, path: str) -> None:
        """Be at *path* from now on, whoever's file was there."""
        try:
            os.replace(self._path, path)
        except OSError as error:
            log.error("--pid %s cannot be written (%s): the pid stays in %s", path, error.strerror, self._path)
        else:
            self._path = path

    def remove(self) -> None:
        """Remove the file if it is still ours; who has taken it over keeps it."""
        with suppress(OSError):
            if self.read() == os.getpid():
                os.unlink(self._path)

    def read(self) -> int | None:
        """Return the pid in the file, or None if there is no file with one."""
        try:
            with open(self._path, "rb") as file:
                pid = int(file.read(32))
        except (OSError, ValueError):
            return None
        return pid if pid > 0 else None

    def find_living(self) -> int | None:
        """Return the pid of another process that can have written the file, or None."""
        pid = self.read()
        if pid is None or pid == os.getpid() or not is_alive(pid):
            return None
        # After a restart of the machine or the container the number may be
        # somebody else's; who was born after the file cannot have written it.
        born = find_birth(pid)
        if born is not None and born > os.stat(self._path).st_mtime + 1:
            return None
        return pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def find_birth(pid: int) -> float | None:
    """Return when process *pid* started, in seconds since the epoch, or None where /proc does not tell."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        with open("/proc/stat") as file:
            boot = next(int(line.split()[1]) for line in file if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    return boot + ticks / os.sysconf("SC_CLK_TCK")
