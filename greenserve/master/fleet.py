"""Which workers should exist, and what to do next so that they do.

A `Fleet` holds the master's whole knowledge of its workers and nothing else:
no process is forked here, no signal sent, no clock read. The master tells it
what happened (`forked`, `ready`, `failed`, `exited`, `reload`, `stop` ...), asks it
what to do (`actions`) and when to ask again (`wake_at`). The same history
always gives the same actions, so every crash, race and half-finished reload
can be written down as a test.

Vocabulary: a *worker* is one process; a *generation* is one load of the
application; a generation is *proven* once one of its workers has served for a
while, the first of all as soon as one is ready; a worker is *stale* if another is to take its place. Times are monotonic seconds.
"""

from math import inf

from greenserve.errors import WorkerBootError
from greenserve.master.faults import Faults
from greenserve.master.member import Plan, Worker
from greenserve.master.moves import (
    Abandoned,
    Abort,
    CrashLoop,
    Drain,
    Examine,
    Fork,
    Kill,
    LongBoot,
    Move,
    Relieve,
    Settled,
)
from greenserve.status import MAX_ROWS

#: What a worker gets beyond its grace to end what is left and say so, before it is killed.
LAST_WORDS = 1.0

#: Deaths in boot, without a word, after which an unproven generation is given up.
BOOT_TRIES = 3

#: A boot this long is worth a line in the log, and again after as long. It has no
#: limit: to kill a slow import only makes the next one slower.
LONG_BOOT = 30.0

#: A stop so soon after another is the same one: who signals a process and then its
#: group, as timeout(1) does, asks twice within a microsecond.
ECHO = 1.0

#: Processes for each wanted worker, draining ones included, beyond which nobody is
#: forked ahead of need: reload upon reload must not fill the machine.
CROWD = 4

#: How long a worker that is stuck may come back, unless its replacement is ready before.
HOPE = 30.0

#: After so many answers a canary can be judged before its time is over.
JURY = 100

#: How long a worker whose replacement is ready waits for the rest of its requests; its clients may have gone.
RELIEF = 60.0


class Fleet:
    """See the module. `outcome` is the exit code of the server once nobody is left, else None."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.workers: dict[int, Worker] = {}
        #: The last plan that was seen to work.
        self._proven: Plan | None = None
        self._latest = plan.generation
        self._settled = 0
        self._news: list[Move] = []
        #: Set once the fleet is to end: the exit code, when it stops to serve, and the seconds to finish in.
        self._exit_code: int | None = None
        self._drain_at = inf
        self.grace: float | None = None
        self._stopped_at = -inf
        self._faults = Faults()
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
    def on_trial(self) -> list[int]:
        """The workers that serve with new code while the old is kept beside it."""
        if self._proven is None or self.is_proven(self.generation):
            return []
        return [worker.pid for worker in self._fresh() if worker.ready]

    @property
    def outcome(self) -> int | None:
        return None if self.workers else self._exit_code

    @property
    def deaf(self) -> bool:
        """Whether the fleet stops, and nobody accepts any more."""
        return self.stopping and all(worker.withdrawn or worker.failed for worker in self.workers.values())

    # What happened.

    def forked(self, pid: int, number: int, generation: int, now: float) -> None:
        self.workers[pid] = Worker(pid, number, generation, now, now + LONG_BOOT)
        self._faults.booted(now)

    def fork_failed(self, now: float) -> None:
        """The kernel refused: out of memory or of processes. Try again after a pause."""
        self._faults.add(now, now)

    def ready(self, pid: int, now: float) -> None:
        worker = self.workers.get(pid)
        if worker is None or worker.ready:
            return
        worker.ready_at = now
        if not worker.serving and not worker.failed:
            # It was to be killed soon, as one that has served nobody; now it may have.
            self._send_off(worker, now)
        if self._proven is None and (worker.serving or worker.generation == self.generation):
            # There is nothing better. And the first code of all may turn out to work after a reload has replaced the plan.
            self._proven = self.plan._replace(generation=worker.generation)

    def retire(self, pid: int, *, lingers: bool = False, grace: float = inf) -> None:
        """The worker asks for a replacement. One that *lingers* leaves by itself once it is relieved."""
        worker = self.workers.get(pid)
        if worker is None:
            return
        worker.lingers = lingers and (worker.lingers or not worker.retiring)
        worker.retiring = True
        worker.grace = min(worker.grace, grace)

    def withdrawn(self, pid: int, now: float) -> None:
        """The worker accepts no more, and finishes what it has accepted: told to, or by itself."""
        worker = self.workers.get(pid)
        if worker is None:
            return
        worker.withdrawn = True
        if worker.serving:
            self._send_off(worker, now)

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
        """The worker has shown no sign of life for *seconds*: it is killed when it is replaced, unless it comes back."""
        worker = self.workers.get(pid)
        if worker is None or worker.stuck_at is not None or not worker.serving:
            return
        worker.stuck_at = now
        worker.deadline = now + HOPE
        worker.why = f"its hub has been stuck for {seconds:.1f} s"
        self._news.append(Examine(pid, seconds))

    def revived(self, pid: int, now: float) -> None:
        """A stuck worker shows life again: it has been given up, but may finish what it has."""
        worker = self.workers.get(pid)
        if worker is not None and worker.stuck_at is not None and not worker.aborted and not worker.killed:
            worker.stuck_at = None
            self._news += self._drain([worker], now)

    def exited(self, pid: int, now: float) -> Worker | None:
        """Return the worker that *pid* was, or None if it was none of ours."""
        worker = self.workers.pop(pid, None)
        if worker is not None and worker.serving:
            self._blame(worker, now, None)
        return worker

    def reload(self, now: float, plan: Plan) -> int:
        """Want a new generation, and return its number, whatever *plan* says; no number is given twice."""
        self._latest += 1
        self.plan = plan._replace(generation=self._latest)
        self._forget_faults(now)
        return self._latest

    def judge(self, pid: int, answers: int, errors: int, now: float) -> None:
        """Give up the code on trial if this worker has answered too often with errors: at its end, or as soon as it is sure."""
        over = pid in self.on_trial and now >= self.workers[pid].proven_at(self.plan.trial)
        if errors * 100 > answers * self.plan.canary_errors and (over or answers >= JURY) and pid in self.on_trial:
            self._give_up(now, WorkerBootError.exit_code, f"answered {errors} of {answers} requests with errors")

    def resize(self, size: int) -> None:
        """Want *size* workers, of the new code as of the old that is kept beside it until the new is proven."""
        if self._proven is not None:
            self._proven = self._proven._replace(size=size)
        self.plan = self.plan._replace(size=size)

    def stop(self, now: float, *, quick: bool = False) -> None:
        """Drain everybody, then end with exit code 0. To ask again is to hurry, unless it is an echo."""
        if self.stopping and not quick and now < self._stopped_at + ECHO:
            return
        quick = quick or self.stopping
        self._stopped_at = now
        self._drain_at = now if quick else now + self.plan.drain_delay
        self._exit_code = self._exit_code or 0
        self.grace = 0.0 if quick else self.plan.graceful_timeout
        for worker in self.workers.values():
            if quick and worker.deadline is not None and worker.deadline > now + LAST_WORDS:
                # It was given longer: told anew by the next actions().
                worker.deadline = None

    # What to do.

    def actions(self, now: float) -> list[Move]:
        """Return what brings the fleet nearer to its plan. Make before break.

        A stale worker is drained only when a fresh one has said that it is
        ready, so the number of serving workers never falls below the plan but
        by a crash.
        """
        self._forgive(now)
        self._prove(now)
        done: list[Move] = [*self._news]
        self._news.clear()
        if now >= self._drain_at:
            done += self._drain([w for w in self.workers.values() if w.serving], now)
        else:
            # Who is drained makes room, so that nothing is left to do until something happens.
            done += self._relieve([*self._surplus_stale(), *self._surplus_fresh()], now)
            done += self._forks(now)
            done += self._settle()
        self._despair(now)
        return done + self._kills(now) + self._long_boots(now)

    def wake_at(self, now: float) -> float | None:
        """Return when `actions` could answer something new though nothing has happened, or None."""
        workers = self.workers.values()
        times = [w.deadline for w in workers if w.deadline is not None and not w.killed]
        times += [w.mention_at for w in workers if w.serving and not w.ready]
        times += [w.relieved_at + RELIEF for w in workers if w.relieved_at is not None and w.serving]
        times += [self.workers[pid].proven_at(self.plan.trial) for pid in self.on_trial]
        times.append(self._drain_at)
        if self._faults:
            times += [self._faults.pause_ends, *(w.proven_at() for w in self._probes())]
        return min((time for time in times if now < time < inf), default=None)

    # The parts of a decision.

    def _fresh(self) -> list[Worker]:
        return [w for w in self.workers.values() if w.serving and w.generation == self.generation and not w.retiring]

    def _stale(self) -> list[Worker]:
        return [w for w in self.workers.values() if w.serving and (w.generation != self.generation or w.retiring)]

    def _probes(self) -> list[Worker]:
        """The workers that will tell whether the latest fault was the last."""
        return [w for w in self.workers.values() if w.serving and w.born >= self._faults.latest]

    def _floor(self) -> int:
        """How many must serve: until the new plan is proven, as many as the old one wants."""
        return self.size if self._proven is None else self._proven.size

    def _forks(self, now: float) -> list[Move]:
        taken = {worker.number for worker in self.workers.values()}
        free = (number for number in range(1, MAX_ROWS + 1) if number not in taken)
        return [Fork(number, self.generation) for number, _ in zip(free, range(self._forks_allowed(now)), strict=False)]

    def _forks_allowed(self, now: float) -> int:
        fresh, stale = len(self._fresh()), len(self._stale())
        missing = self.size - fresh
        if self._faults:
            # One at a time, until one lives: a fork storm helps nobody.
            missing = min(missing, 1) if now >= self._faults.pause_ends and not self._probes() else 0
        elif self.plan.canary and self._proven is not None and not self.is_proven(self.generation):
            missing = min(missing, max(1 - fresh, self._floor() - fresh - stale))
        return min(missing, self._room_for_surge(fresh + stale))

    def _room_for_surge(self, serving: int) -> int:
        wanted = max(self.size, self._floor())
        room = min(wanted + (self.plan.max_surge or wanted) - serving, wanted * CROWD - len(self.workers))
        return max(room, wanted - serving)

    def _surplus_stale(self) -> list[Worker]:
        """Least useful first: those that do not serve yet, the oldest code, those that leave anyway."""
        stale = sorted(self._stale(), key=lambda worker: (worker.ready, worker.generation, worker.relieved_at is None))
        tried = self._proven is None or self.is_proven(self.generation)
        keep = max(0, self._floor() - (sum(worker.ready for worker in self._fresh()) if tried else 0))
        return stale[: max(0, len(stale) - keep)]

    def _surplus_fresh(self) -> list[Worker]:
        fresh = sorted(self._fresh(), key=lambda worker: worker.ready)
        return fresh[: max(0, len(fresh) - self.size)]

    def _relieve(self, workers: list[Worker], now: float) -> list[Move]:
        """Drain those who can go, and tell those who linger that they may."""
        lingering = [w for w in workers if w.lingers and w.generation == self.generation and w.ready]
        fresh_news = [worker for worker in lingering if worker.relieved_at is None]
        for worker in fresh_news:
            worker.relieved_at = now
        patient = [w.pid for w in lingering if w.relieved_at is not None and now < w.relieved_at + RELIEF]
        told: list[Move] = [Relieve(worker.pid) for worker in fresh_news]
        return told + self._drain([worker for worker in workers if worker.pid not in patient], now)

    def _drain(self, workers: list[Worker], now: float) -> list[Move]:
        for worker in workers:
            self._send_off(worker, now)
        return [Drain(worker.pid, self._patience(worker)) for worker in workers]

    def _patience(self, worker: Worker) -> float:
        """How long *worker* may take if it leaves now."""
        return min(worker.grace, self.plan.graceful_timeout if self.grace is None else self.grace)

    def _send_off(self, worker: Worker, now: float) -> None:
        """Set when *worker* is killed if it has not left. One that still loads has nothing to finish."""
        grace = self._patience(worker)
        worker.deadline = now + (grace if worker.ready else 0.0) + LAST_WORDS
        worker.why = f"it has not left within {grace:g} s" if worker.ready else ""

    def _despair(self, now: float) -> None:
        """Give up on stuck workers as soon as they are replaced."""
        if now >= self._drain_at or sum(worker.ready for worker in self._fresh()) >= self.size:
            for worker in self.workers.values():
                if worker.stuck_at is not None and not worker.aborted and worker.deadline is not None:
                    worker.deadline = min(worker.deadline, now)

    def _kills(self, now: float) -> list[Move]:
        late = [w for w in self.workers.values() if w.deadline is not None and now >= w.deadline and not w.killed]
        return [self._part_with(worker, now) for worker in late]

    def _part_with(self, worker: Worker, now: float) -> Move:
        """End a worker that is late; one that is stuck may speak first, if its hooks have something to say."""
        if self.plan.aborts and worker.stuck_at is not None and not worker.aborted and not self.stopping:
            worker.aborted = True
            worker.deadline = now + LAST_WORDS
            return Abort(worker.pid, worker.why)
        worker.killed = True
        return Kill(worker.pid, worker.why)

    def _settle(self) -> list[Move]:
        ready = sum(worker.ready for worker in self._fresh())
        others = any(w.ready and not w.withdrawn for w in self.workers.values() if w.generation != self.generation)
        if self._settled == self.generation or ready < self.size or others:
            return []
        self._settled = self.generation
        return [Settled(self.generation)]

    def _long_boots(self, now: float) -> list[Move]:
        slow = [w for w in self.workers.values() if w.serving and not w.ready and now >= w.mention_at]
        for worker in slow:
            worker.mention_at = now + LONG_BOOT
        return [LongBoot(worker.pid, now - worker.born) for worker in slow]

    # New code, and what speaks against it.

    def _prove(self, now: float) -> None:
        """Trust the new code once a worker has served with it for a while."""
        if any(now >= self.workers[pid].proven_at(self.plan.trial) for pid in self.on_trial):
            self._proven = self.plan

    def _blame(self, worker: Worker, now: float, exit_code: int | None) -> None:
        """Take note that *worker* died unasked; *exit_code* is what it said beforehand, if it did."""
        tried = worker.generation == self.generation and not self.is_proven(self.generation)
        if now >= self._drain_at or (now >= worker.proven_at() and not tried):
            return
        if self._faults.add(now, worker.born):
            self._news.append(CrashLoop())
        if tried:
            self._boot_deaths += 1
            if exit_code is not None or self._boot_deaths >= BOOT_TRIES or (self.plan.canary and worker.ready):
                self._give_up(
                    now,
                    exit_code or WorkerBootError.exit_code,
                    "crashed soon after it started" if worker.ready else "did not start",
                )

    def _give_up(self, now: float, exit_code: int, why: str) -> None:
        """Go back to the code that works; if there is none, end.

        The processes of the old generation still run it. One that dies from
        now on is replaced by a fork that loads what is on the disk, the code
        just given up, so that replacement fails and is tried again after
        growing pauses until somebody repairs it.
        """
        if self._proven is None:
            self._end(now, exit_code)
            return
        self._news.append(Abandoned(self.generation, self._proven.generation, why))
        self.plan = self._proven
        self._forget_faults(now)

    def _end(self, now: float, exit_code: int) -> None:
        self._exit_code = exit_code
        self._drain_at = now
        self.grace = 0.0
        for worker in self.workers.values():
            if not worker.failed:
                # It loads the same code and has served nobody.
                worker.deadline = now

    def _forget_faults(self, now: float) -> None:
        self._faults.forget(now)
        self._boot_deaths = 0

    def _forgive(self, now: float) -> None:
        if self._faults and any(now >= worker.proven_at() for worker in self._probes()):
            self._forget_faults(now)
