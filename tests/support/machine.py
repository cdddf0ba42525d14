"""What a busy machine keeps from everybody, which no server can help.

Promises are made in milliseconds, and tests run beside other things. No bound is
widened for that: what the machine took is measured, and taken off.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.load import Load, load
from tests.support.server import RunningServer


@pytest.fixture
def control() -> Iterator[Load]:
    """Clients of another server of ours, to which nothing is done: what they wait for is the machine."""
    with RunningServer("hello", "--workers", "2") as server, load(server, connections=2, bursts=1) as clients:
        yield clients


def boot_clock() -> float:
    """Return the time in seconds since the machine was started, which is the clock of births."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def time_in_line(pid: int) -> float:
    """Return how many seconds so far *pid*'s main thread could have run and had no processor; 0 if the kernel does not count."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


def born_at(pid: int) -> float:
    """Return when *pid* was forked, by the boot_clock."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[19]) / os.sysconf("SC_CLK_TCK")
