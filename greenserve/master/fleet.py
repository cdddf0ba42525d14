"""Which workers should exist, and what to do next so that they do.

A `Fleet` holds the master's whole knowledge of its workers and nothing else:
no process is forked here, no signal sent, no clock read. The master tells it
what happened (`forked`, `ready`, `failed`, `exited`, `reload`, `stop` ...), asks it
what to do (`actions`) and when to ask again (`wake_at`). The same history
always gives the same actions, so every crash, race and half-finished reload
can be written down as a test.

Vocabulary: a *worker* is one process; a *generation* is one load of the
application; a generation is *proven* once one of its workers was ready; a
worker is *stale* if another is to take its place. Times are monotonic seconds.
"""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from greenserve.errors import WorkerBootError
from greenserve.status import MAX_ROWS

#: What a worker gets beyond its grace to end what is left and say so, before it is killed.
LAST_WORDS = 1.0

#: A worker that dies before it was ready for this long speaks against its code.
#: Longer would slow the replacement of workers that something kills from outside.
PROBATION = 1.0

#: Deaths in boot, without a word, after which an unproven generation is given up.
BOOT_TRIES = 3

#: The pause before a fork doubles from the second fault in a row on, up to this.
LONGEST_PAUSE = 30.0

#: A boot this long is worth a line in the log, and again after as long. It has no
#: limit: to kill a slow import only makes the next one slower.
LONG_BOOT = 30.0

#: A stop so soon after another is the same one: who signals a process and then its
#: group, as timeout(1) does, asks twice within a microsecond.
ECHO = 1.0

#: Processes for each wanted worker, draining ones included, beyond which nobody is
#: forked ahead of need: reload upon reload must not fill the machine.
CROWD = 4


class Fork(NamedTuple):
    number: int
    generation: int


class Drain(NamedTuple):
    """Ask a worker to finish what it has accepted, and exit."""

    pid: int
    grace: float


class Kill(NamedTuple):
    """End a process now. `why` is for the log, and empty where the reason has been told."""

    pid: int
    why: str


class Settled(NamedTuple):
    """Say that all of this generation is ready and no worker of another accepts; said once."""

    generation: int


class Abandoned(NamedTuple):
    """Say that `generation` did not boot and that `kept` goes on in its place."""

    generation: int
    kept: int


class LongBoot(NamedTuple):
    """Say that a worker is still loading the application."""

    pid: int
    seconds: float


Action = Fork | Drain | Kill | Settled | Abandoned | LongBoot


class Plan(NamedTuple):
    """What is wanted."""

    generation: int
    size: int
    graceful_timeout: float


@dataclass
class Worker:
    pid: int
    number: int
    generation: int
    born: float
    #: When the long boot is mentioned next.
    mention_at: float
    #: Since when it serves; None while it loads the application.
    ready_at: float | None = None
    #: It goes on serving, and asks for a replacement.
    retiring: bool = False
    #: When it is killed; None until it was asked to leave.
    deadline: float | None = None
    #: Why it is killed then.
    why: str = ""
    killed: bool = False
    #: It said itself that it accepts no more.
    withdrawn: bool = False
    #: It said itself that it cannot start.
    failed: bool = False

    @property
    def serving(self) -> bool:
        return self.deadline is None

    @property
    def ready(self) -> bool:
        return self.ready_at is not None

    def proven_at(self) -> float:
        return inf if self.ready_at is None else self.ready_at + PROBATION


def pause_after(faults: int) -> float:
    """Return the seconds to wait before the next fork: 0, 0, 0.5, 1, 2, 4 ... for 0, 1, 2 ... faults in a row."""
    if faults < 2:
        return 0.0
    return float(min(LONGEST_PAUSE, 0.5 * 2 ** min(faults - 2, 10)))


class Fleet:
    """See the module. `outcome` is the exit code of the server once nobody is left, else None."""

    def __init__(self, size: int, graceful_timeout: float = 30.0, max_surge: int | None = None) -> None:
        self.plan = Plan(1, size, graceful_timeout)
        self.workers: dict[int, Worker] = {}
        #: Extra workers at a time. By default as many as are wanted, so that a
        #: reload takes as long as one boot; the price is their memory.
        self._max_surge = max_surge
        #: The last plan that was seen to work.
        self._proven: Plan | None = None
        self._latest = 1
        self._settled = 0
        self._news: list[Action] = []
        #: Set once the fleet is to end: the exit code, and the seconds to finish in.
        self._exit_code: int | None = None
        self.grace: float | None = None
        self._stopped_at = -inf
        #: Faults in a row, when the latest that counted happened, and the end of the pause after it.
        self._faults = 0
        self._fault_at = -inf
        self._fork_at = -inf
        self._boot_deaths = 0

    @property
    def generation(self) -> int:
        return self.plan.generation

    @property
    def size(self) -> int:
        return self.plan.size

    @property
    def stopping(self) -> bool:
        return self._exit_code is not None

    def is_proven(self, generation: int) -> bool:
        return self._proven is not None and generation <= self._proven.generation

    @property
    def outcome(self) -> int | None:
        return None if self.workers else self._exit_code

    # What happened.

    def forked(self, pid: int, number: int, generation: int, now: float) -> None:
        self.workers[pid] = Worker(pid, number, generation, now, now + LONG_BOOT)

    def fork_failed(self, now: float) -> None:
        """The kernel refused: out of memory or of processes. Try again after a pause."""
        self._add_fault(now)

    def ready(self, pid: int, now: float) -> None:
        worker = self.workers.get(pid)
        if worker is None or worker.ready:
            return
        worker.ready_at = now
        if not worker.serving and not worker.failed:
            # It was to be killed soon, as one that has served nobody; now it may have.
            self._send_off(worker, now, self._patience())
        if worker.generation == self.generation:
            self._proven = self.plan
        elif worker.serving and self._proven is None:
            # The first code of all turns out to work after a reload has replaced the plan.
            self._proven = self.plan._replace(generation=worker.generation)

    def retire(self, pid: int) -> None:
        if pid in self.workers:
            self.workers[pid].retiring = True

    def withdrawn(self, pid: int, now: float) -> None:
        """The worker accepts no more, and finishes what it has accepted: told to, or by itself as somebody signalled it."""
        worker = self.workers.get(pid)
        if worker is None:
            return
        worker.withdrawn = True
        if worker.serving:
            self._send_off(worker, now, self._patience())

    def failed(self, pid: int, exit_code: int, now: float) -> None:
        """The worker says that it cannot start, and is about to exit."""
        worker = self.workers.get(pid)
        if worker is None or worker.failed:
            return
        worker.failed = True
        if worker.serving:
            worker.deadline = now + LAST_WORDS
            self._blame(worker, now, exit_code)

    def stuck(self, pid: int, now: float, seconds: float) -> None:
        """The worker has shown no sign of life for *seconds*: it is killed at once and replaced."""
        if pid in self.workers:
            self.workers[pid].deadline = now
            self.workers[pid].why = f"its hub has been stuck for {seconds:.1f} s"

    def exited(self, pid: int, now: float) -> Worker | None:
        """Return the worker that *pid* was, or None if it was none of ours."""
        worker = self.workers.pop(pid, None)
        if worker is not None and worker.serving:
            self._blame(worker, now, None)
        return worker

    def reload(self, now: float, size: int, graceful_timeout: float) -> int:
        """Want a new generation, and return its number; no number is given twice."""
        self._latest += 1
        self.plan = Plan(self._latest, size, graceful_timeout)
        self._forget_faults(now)
        return self._latest

    def resize(self, size: int) -> None:
        if self._proven == self.plan:
            self._proven = self.plan._replace(size=size)
        self.plan = self.plan._replace(size=size)

    def stop(self, now: float, *, quick: bool = False) -> None:
        """Drain everybody, then end with exit code 0. To ask again is to hurry, unless it is an echo."""
        if self.stopping and not quick and now < self._stopped_at + ECHO:
            return
        quick = quick or self.stopping
        self._stopped_at = now
        self._exit_code = self._exit_code or 0
        self.grace = 0.0 if quick else self.plan.graceful_timeout
        for worker in self.workers.values():
            if quick and worker.deadline is not None and worker.deadline > now + LAST_WORDS:
                # It was given longer: told anew by the next actions().
                worker.deadline = None

    # What to do.

    def actions(self, now: float) -> list[Action]:
        """Return what brings the fleet nearer to its plan. Make before break.

        A stale worker is drained only when a fresh one has said that it is
        ready, so the number of serving workers never falls below the plan but
        by a crash.
        """
        self._forgive(now)
        done: list[Action] = [*self._news]
        self._news.clear()
        if self.stopping:
            done += self._drain([w for w in self.workers.values() if w.serving], now)
        else:
            # Who is drained makes room, so that nothing is left to do until something happens.
            done += self._drain([*self._surplus_stale(), *self._surplus_fresh()], now)
            done += self._forks(now)
            done += self._settle()
        return done + self._kills(now) + self._long_boots(now)

    def wake_at(self, now: float) -> float | None:
        """Return when `actions` could answer something new though nothing has happened, or None."""
        workers = self.workers.values()
        times = [w.deadline for w in workers if w.deadline is not None and not w.killed]
        times += [w.mention_at for w in workers if w.serving and not w.ready]
        if self._faults and not self.stopping:
            times += [self._fork_at, *(w.proven_at() for w in self._probes())]
        return min((time for time in times if now < time < inf), default=None)

    # The parts of a decision.

    def _fresh(self) -> list[Worker]:
        return [w for w in self.workers.values() if w.serving and w.generation == self.generation and not w.retiring]

    def _stale(self) -> list[Worker]:
        return [w for w in self.workers.values() if w.serving and (w.generation != self.generation or w.retiring)]

    def _probes(self) -> list[Worker]:
        """The workers that will tell whether the latest fault was the last."""
        return [w for w in self.workers.values() if w.serving and w.born >= self._fault_at]

    def _floor(self) -> int:
        """How many must serve: until the new plan is proven, as many as the old one wants."""
        return self.size if self._proven is None else self._proven.size

    def _forks(self, now: float) -> list[Action]:
        taken = {worker.number for worker in self.workers.values()}
        free = (number for number in range(1, MAX_ROWS + 1) if number not in taken)
        return [Fork(number, self.generation) for number, _ in zip(free, range(self._forks_allowed(now)), strict=False)]

    def _forks_allowed(self, now: float) -> int:
        fresh, stale = len(self._fresh()), len(self._stale())
        missing = self.size - fresh
        if self._faults:
            # One at a time, until one lives: a fork storm helps nobody.
            missing = min(missing, 1) if now >= self._fork_at and not self._probes() else 0
        return min(missing, self._room_for_surge(fresh + stale))

    def _room_for_surge(self, serving: int) -> int:
        wanted = max(self.size, self._floor())
        surge = wanted if self._max_surge is None else self._max_surge
        room = min(wanted + surge - serving, wanted * CROWD - len(self.workers))
        return max(room, wanted - serving)

    def _surplus_stale(self) -> list[Worker]:
        """Least useful first: those that do not serve yet, then the oldest code."""
        stale = sorted(self._stale(), key=lambda worker: (worker.ready, worker.generation))
        keep = max(0, self._floor() - sum(worker.ready for worker in self._fresh()))
        return stale[: max(0, len(stale) - keep)]

    def _surplus_fresh(self) -> list[Worker]:
        fresh = sorted(self._fresh(), key=lambda worker: worker.ready)
        return fresh[: max(0, len(fresh) - self.size)]

    def _drain(self, workers: list[Worker], now: float) -> list[Action]:
        grace = self._patience()
        for worker in workers:
            self._send_off(worker, now, grace)
        return [Drain(worker.pid, grace) for worker in workers]

    def _patience(self) -> float:
        """How long a worker that leaves now may take."""
        return self.plan.graceful_timeout if self.grace is None else self.grace

    def _send_off(self, worker: Worker, now: float, grace: float) -> None:
        """Set when *worker* is killed if it has not left. One that still loads has nothing to finish."""
        worker.deadline = now + (grace if worker.ready else 0.0) + LAST_WORDS
        worker.why = f"it has not left within {grace:g} s" if worker.ready else ""

    def _kills(self, now: float) -> list[Action]:
        late = [w for w in self.workers.values() if w.deadline is not None and now >= w.deadline and not w.killed]
        for worker in late:
            worker.killed = True
        return [Kill(worker.pid, worker.why) for worker in late]

    def _settle(self) -> list[Action]:
        ready = sum(worker.ready for worker in self._fresh())
        others = any(w.ready and not w.withdrawn for w in self.workers.values() if w.generation != self.generation)
        if self._settled == self.generation or ready < self.size or others:
            return []
        self._settled = self.generation
        return [Settled(self.generation)]

    def _long_boots(self, now: float) -> list[Action]:
        slow = [w for w in self.workers.values() if w.serving and not w.ready and now >= w.mention_at]
        for worker in slow:
            worker.mention_at = now + LONG_BOOT
        return [LongBoot(worker.pid, now - worker.born) for worker in slow]

    # Faults: what speaks against the code, not against the weather.

    def _blame(self, worker: Worker, now: float, exit_code: int | None) -> None:
        """Take note that *worker* died unasked; *exit_code* is what it said beforehand, if it did."""
        if self.stopping or now >= worker.proven_at():
            return
        if worker.born >= self._fault_at:
            # Those forked together die together, and count as one fault.
            self._add_fault(now)
        if worker.generation == self.generation and not self.is_proven(self.generation):
            self._boot_deaths += 1
            if exit_code is not None or self._boot_deaths >= BOOT_TRIES:
                self._give_up(now, exit_code or WorkerBootError.exit_code)

    def _add_fault(self, now: float) -> None:
        self._faults += 1
        self._fault_at = now
        self._fork_at = now + pause_after(self._faults)

    def _give_up(self, now: float, exit_code: int) -> None:
        """Go back to the code that works; if there is none, end.

        The processes of the old generation still run it. One that dies from
        now on is replaced by a fork that loads what is on the disk, the code
        just given up, so that replacement fails and is tried again after
        growing pauses until somebody repairs it.
        """
        if self._proven is None:
            self._end(now, exit_code)
            return
        self._news.append(Abandoned(self.generation, self._proven.generation))
        self.plan = self._proven
        self._forget_faults(now)

    def _end(self, now: float, exit_code: int) -> None:
        self._exit_code = exit_code
        self.grace = 0.0
        for worker in self.workers.values():
            if not worker.failed:
                # It loads the same code and has served nobody.
                worker.deadline = now

    def _forget_faults(self, now: float) -> None:
        self._faults = self._boot_deaths = 0
        self._fault_at = now
        self._fork_at = -inf

    def _forgive(self, now: float) -> None:
        if self._faults and any(now >= worker.proven_at() for worker in self._probes()):
            self._forget_faults(now)
