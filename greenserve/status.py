"""What everyone may know about every worker: a table in memory that all processes share.

The master makes one `Scoreboard` before it forks. Each worker writes its own
row and nobody else's, so there is no lock; a number is eight aligned bytes,
which the processor writes whole.
"""

import mmap
import time
from typing import NamedTuple

#: The columns of a row. Counters only grow; the others are of this moment.
COLUMNS = ("heartbeat_ms", "connections", "in_flight", "accepted", "requests")

#: Room for every worker and its replacement, at 40 bytes each.
MAX_ROWS = 1024


def monotonic_ms() -> int:
    """Return the time of the clock that heartbeats are written in; the same in every process."""
    return int(time.monotonic() * 1000)


class Snapshot(NamedTuple):
    """One row as it stood. `heartbeat_ms` is on the monotonic clock, in milliseconds."""

    heartbeat_ms: int
    connections: int
    in_flight: int
    accepted: int
    requests: int


class Row:
    """One worker's row: `row["requests"] += 1`."""

    __slots__ = ("_cells",)

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells

    def __getitem__(self, column: str) -> int:
        return self._cells[COLUMNS.index(column)]

    def __setitem__(self, column: str, value: int) -> None:
        self._cells[COLUMNS.index(column)] = value

    def clear(self) -> None:
        for index in range(len(COLUMNS)):
            self._cells[index] = 0

    def read(self) -> Snapshot:
        return Snapshot(*self._cells)


class Scoreboard:
    def __init__(self, rows: int = MAX_ROWS) -> None:
        self._memory = mmap.mmap(-1, rows * len(COLUMNS) * 8)
        self._cells = memoryview(self._memory).cast("q")

    def row(self, index: int) -> Row:
        width = len(COLUMNS)
        return Row(self._cells[index * width : (index + 1) * width])
