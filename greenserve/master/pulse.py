"""Which workers show no sign of life. Pure: the heartbeats and the clock are told.

A worker's hub writes a heartbeat into the scoreboard while it turns. One that
is older than the timeout means a hub that something blocks. Nothing here looks
every second: the next look is when the oldest heartbeat could be too old.
"""

from collections.abc import Mapping
from math import inf

#: A loop that wakes this much later than it meant to was not running, and neither were the workers.
OVERSLEPT = 1.0


class Pulse:
    """Times are monotonic seconds; *beats* is the latest heartbeat of each worker, by pid."""

    def __init__(self) -> None:
        self._planned = inf
        self._since = -inf

    def woke(self, now: float) -> None:
        """Note that the loop turns. After a suspended container every heartbeat is old and nobody is stuck."""
        if now > self._planned + OVERSLEPT:
            self._since = now
        self._planned = inf

    def sleeps_until(self, time: float | None) -> None:
        self._planned = inf if time is None else time

    def find_stuck(self, beats: Mapping[int, float], timeout: float, now: float) -> dict[int, float]:
        """Return for how many seconds each stuck worker has been silent; a timeout of 0 is never."""
        silent = {pid: now - max(beat, self._since) for pid, beat in beats.items()}
        return {pid: seconds for pid, seconds in silent.items() if timeout and seconds >= timeout}

    def next_look(self, beats: Mapping[int, float], timeout: float) -> float | None:
        if not timeout or not beats:
            return None
        return max(min(beats.values()), self._since) + timeout
