"""A server under measurement: its start, what its processes have used, and its end.

What counts is the whole tree: masters, workers, and children that are gone.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")

#: CPUCLOCK_SCHED in the numbers of Linux for clocks: all threads, ended ones too, in nanoseconds.
PROCESS_CLOCK = 2

#: Seconds that a server may take to end when it is asked to.
PATIENCE = 10.0


class ServerFault(Exception):
    """The server does not start, or does not do what it was asked."""


class ServerProcess:
    """One server on the processors *cores*; its output goes to the file *log*."""

    def __init__(
        self, command: Sequence[str], cores: frozenset[int], log: IO[bytes], cwd: Path, environ: Mapping[str, str]
    ) -> None:
        #: Seconds from the start to the first answer, once it has come.
        self.started_in: float | None = None
        self._began = time.monotonic()
        self._log = Path(log.name)
        pinned = ["taskset", "--cpu-list", ",".join(map(str, sorted(cores))), *command]
        self._process = subprocess.Popen(
            pinned, cwd=cwd, env={**os.environ, **environ}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def note_answer(self) -> None:
        """Take it that the first answer has come just now."""
        self.started_in = time.monotonic() - self._began

    def last_words(self) -> str:
        """Return the last line that the server has written."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"

    def processes(self) -> list[int]:
        """Return the server's processes, the first of them first."""
        children = find_children()
        tree = [self._process.pid]
        for pid in tree:
            tree += children.get(pid, [])
        return tree

    def cpu_seconds(self) -> float:
        """Return the processor time of all processes, and of those that they have outlived."""
        return sum(read_clock(pid) + sum(map(int, read_stat(pid)[13:15])) / TICKS for pid in self.processes())

    def memory_kib(self) -> int:
        """Return what the processes occupy, each shared page divided among those that share it."""
        return sum(read_share(pid) for pid in self.processes())

    def stop(self) -> None:
        started = {pid: start_of(pid) for pid in self.processes()}
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        kill_survivors(started)

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def kill_survivors(started: Mapping[int, str]) -> None:
    """Kill those of the tree that have outlived their first; another process may have got a pid since."""
    for pid, start in started.items():
        if start and start_of(pid) == start:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def start_of(pid: int) -> str:
    """Return when the process began, in ticks since boot; empty if it is gone."""
    return "".join(read_stat(pid)[19:20])


def find_children() -> dict[int, list[int]]:
    """Return the children of every process that has some."""
    children: dict[int, list[int]] = {}
    for pid in all_processes():
        if stat := read_stat(pid):
            children.setdefault(int(stat[1]), []).append(pid)
    return children


def all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def read_stat(pid: int) -> list[str]:
    """Return the fields of proc(5) after the name, from the state on; empty if the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def read_clock(pid: int) -> float:
    """Return utime and stime of a process in seconds; 0 if it is gone.

    proc(5) has them in hundredths of a second. The clock is the one of clock_getcpuclockid(3), which Python does not have.
    """
    try:
        return time.clock_gettime(~pid << 3 | PROCESS_CLOCK)
    except OSError:
        return 0.0


def read_share(pid: int) -> int:
    """Return the proportional set size in KiB; 0 if the process is gone."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def find_free_port() -> int:
    """Return a port that was free a moment ago; most servers cannot be handed a socket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
