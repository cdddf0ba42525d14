"""Finds the workers that are stuck, and where.

A worker's heartbeat says that; the place it says itself, from a signal handler
in C that needs neither the hub nor the GIL. It is asked once, for a signal
interrupts what it is in, and heard when it is about to be killed.
"""

import logging
import time

from greenserve.master import journal
from greenserve.master.crew import Crew
from greenserve.master.fleet import Fleet
from greenserve.master.pulse import Pulse
from greenserve.master.stacks import find_place, find_thread

log = logging.getLogger("greenserve.error")

#: A process that is not stopped has answered a signal by then, in seconds.
ANSWER = 0.02


class Examiner:
    def __init__(self, fleet: Fleet, crew: Crew) -> None:
        self._fleet = fleet
        self._crew = crew
        self._pulse = Pulse()

    def woke(self) -> None:
        self._pulse.woke(time.monotonic())

    def sleeps_until(self, moment: float | None) -> None:
        self._pulse.sleeps_until(moment)

    def next_look(self, timeout: float) -> float | None:
        return self._pulse.next_look(self._beats(), timeout)

    def look(self, timeout: float) -> None:
        """Tell the fleet who is stuck, and who is not any more."""
        now = time.monotonic()
        for pid, seconds in self._pulse.find_stuck(self._beats(), timeout, now).items():
            self._fleet.stuck(pid, now, seconds)
        for worker in list(self._fleet.workers.values()):
            if worker.stuck_at is not None and self._crew.read_heartbeat(worker.pid) > worker.stuck_at:
                log.warning("%s is back, and leaves: its hub was stuck" + self.hear(worker.pid), journal.name(worker))
                self._fleet.revived(worker.pid, now)

    def ask(self, pid: int) -> str:
        """Ask a stuck worker where it is; return the request that it has begun last, empty if none."""
        self._crew.ask_for_stacks(pid)
        return self._crew.read_request(pid)

    def question(self, pid: int) -> str:
        """Return where a worker is that is about to be killed; asked now, unless it was before."""
        told = self.hear(pid)
        if not told and self._crew.ask_for_stacks(pid):
            # The master waits for nobody; but this takes a millisecond, and after it there is nobody to ask.
            time.sleep(ANSWER)
            told = self.hear(pid)
        return told

    def hear(self, pid: int) -> str:
        """Return what the worker answered, to stand behind a message for the log; empty if it was not asked, or is silent."""
        stacks = self._crew.take_stacks(pid)
        place = find_place(stacks)
        return "" if place is None else f" at {place}\n{find_thread(stacks)}".replace("%", "%%")

    def _beats(self) -> dict[int, float]:
        serving = [worker for worker in self._fleet.workers.values() if worker.serving]
        return {w.pid: max(w.ready_at, self._crew.read_heartbeat(w.pid)) for w in serving if w.ready_at is not None}
