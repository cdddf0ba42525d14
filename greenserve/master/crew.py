"""The processes behind the fleet: they are forked, written to, killed and buried here.

Nothing is decided in this room. What a child inherits is let go in one place,
`_live`: a worker that kept the master's end of another's mailbox would keep
that one from noticing the master's death.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, NoReturn

from greenserve.config import Config
from greenserve.errors import WorkerBootError
from greenserve.hooks import HookWorker
from greenserve.log import close_error_log
from greenserve.mailbox import Failed, Mailbox, Message, open_mailboxes
from greenserve.master.listeners import Listeners
from greenserve.master.mold import Mold, Molds
from greenserve.master.signals import Signals, fork, let_signals_in
from greenserve.seat import Seat
from greenserve.status import STACKS_SIGNAL, Row, Scoreboard, monotonic_ms
from greenserve.title import Title

log = logging.getLogger("greenserve.error")


class Hand(NamedTuple):
    """A child as the master holds it."""

    pid: int
    mailbox: Mailbox
    #: The watcher has none, nor has another master.
    row: Row | None = None


class Crew:
    def __init__(self, start_worker: Callable[[Seat], int], listeners: Listeners, signals: Signals) -> None:
        self._start_worker = start_worker
        self._listeners = listeners
        self._signals = signals
        self._scoreboard = Scoreboard(stacks=os.memfd_create("stacks") if hasattr(os, "memfd_create") else -1)
        self._secret = os.urandom(32)
        self.molds = Molds()
        self.hands: dict[int, Hand] = {}

    def fork_worker(self, number: int, generation: int, config: Config, worker: HookWorker) -> int:
        """Return the pid of a worker that is about to start; raises OSError where the kernel refuses."""
        row = self._scoreboard.lend(number - 1)
        row["born_ms"] = monotonic_ms()
        mold = self.molds.find(generation)
        if mold is not None:
            return self._fork_from(mold, number, row)
        return self._fork_loader(number, generation, config, worker, row)

    def _fork_loader(self, number: int, generation: int, config: Config, worker: HookWorker, row: Row) -> int:
        """Fork a worker that loads the application itself, and with --preload makes a mold of it for the others."""
        sockets = [listener.socket for listener in self._listeners.of(generation)]
        mold = self.molds.expect(generation) if config.preload_app else None

        def start(mailbox: Mailbox) -> int:
            self._listeners.close_in_child(generation)
            shared = self._scoreboard, self._secret
            return self._start_worker(Seat(number, generation, config, sockets, mailbox, row, *shared, worker, mold))

        try:
            pid = self._fork(f"worker {number}", config, start, row)
        except OSError:
            self.molds.drop(generation)
            raise
        finally:
            if mold is not None:
                mold.close()
        if mold is not None:
            self.molds.loads(generation, pid)
        return pid

    def _fork_from(self, mold: Mold, number: int, row: Row) -> int:
        ours, theirs = open_mailboxes()
        try:
            pid = mold.fork(number, theirs)
        except OSError:
            ours.close()
            self.molds.give_up(mold)
            raise
        finally:
            theirs.close()
        self.hands[pid] = Hand(pid, ours, row)
        return pid

    def adopt_mold(self, loader: int, pid: int) -> None:
        """The worker *loader* has made a mold, which is *pid*."""
        mold = self.molds.made(loader, pid)
        if mold is not None:
            self.adopt(pid, mold.mailbox)

    def fork_watcher(self, watch: Callable[[Config, Mailbox], int], config: Config) -> int:
        def start(mailbox: Mailbox) -> int:
            self._listeners.close_in_child()
            return watch(config, mailbox)

        return self._fork("watcher", config, start)

    def fork_heir(self, become: Callable[[int, Mailbox], int], config: Config) -> int:
        """Return the pid of a child that becomes another master; *become* gets our pid and the child's mailbox."""
        return self._fork("heir", config, partial(become, os.getpid()))

    def adopt(self, pid: int, mailbox: Mailbox) -> None:
        """Hold the conversation with a process that we did not fork."""
        self.hands[pid] = Hand(pid, mailbox)

    def announce_end(self) -> None:
        """Let the workers tell load balancers to send no more, while they go on."""
        self._scoreboard.leave()

    def send(self, pid: int, message: Message) -> bool:
        return pid in self.hands and self.hands[pid].mailbox.send(message)

    def send_all(self, message: Message) -> None:
        for pid in self.hands:
            self.send(pid, message)

    def receive(self, pid: int) -> list[Message]:
        return self.hands[pid].mailbox.receive() if pid in self.hands else []

    def read_heartbeat(self, pid: int) -> float:
        """Return when the worker last showed life, in monotonic seconds; 0 before the first time."""
        row = self.hands[pid].row
        return row["heartbeat_ms"] / 1000 if row is not None else 0.0

    def ask_for_stacks(self, pid: int) -> bool:
        """Let the worker tell where it is; return False if it cannot, for others would die of the signal."""
        row = self.hands[pid].row if pid in self.hands else None
        if row is not None and row["tells_stacks"]:
            self._signal(pid, STACKS_SIGNAL)
            return True
        return False

    def take_stacks(self, pid: int) -> str:
        """Return what the worker has said since it was asked, empty if nothing."""
        row = self.hands[pid].row if pid in self.hands else None
        return row.take_stacks() if row is not None else ""

    def read_request(self, pid: int) -> str:
        """Return the line of the request that the worker has begun last, empty before the first."""
        row = self.hands[pid].row if pid in self.hands else None
        return row.read_line() if row is not None else ""

    def read_answers(self, pid: int) -> tuple[int, int]:
        """Return how many requests the worker has answered, and how many of them with errors."""
        row = self.hands[pid].row
        return (row["requests"], row["responses_5xx"]) if row is not None else (0, 0)

    def kill(self, pid: int) -> None:
        self._signal(pid, signal.SIGKILL)

    def abort(self, pid: int) -> None:
        """Let it call its worker_abort hook, and end."""
        self._signal(pid, signal.SIGABRT)

    def _signal(self, pid: int, number: int) -> None:
        # Until it is reaped the number is its own, so nobody else can be hit.
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def reap(self) -> list[tuple[int, int]]:
        """Return pid and exit code of all that have died, strangers included: as pid 1 we inherit orphans."""
        dead = []
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                dead.append((pid, os.waitstatus_to_exitcode(status)))
        return dead

    def bury(self, pid: int) -> None:
        self.molds.bury(pid)
        hand = self.hands.pop(pid, None)
        if hand is not None:
            hand.mailbox.close()
            if hand.row is not None:
                # Nobody should leave connections to a worker that is no more.
                hand.row["accepting"] = 0

    def _fork(self, role: str, config: Config, start: Callable[[Mailbox], int], row: Row | None = None) -> int:
        ours, theirs = open_mailboxes()
        try:
            pid = fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            ours.close()
            self._live(role, config, start, theirs)
        theirs.close()
        self.hands[pid] = Hand(pid, ours, row)
        return pid

    def _live(self, role: str, config: Config, start: Callable[[Mailbox], int], mailbox: Mailbox) -> NoReturn:
        """Be the child, from its first breath to its last: nothing returns into the master's stack."""
        code = WorkerBootError.exit_code
        try:
            for holder in (*self.hands.values(), *self.molds):
                holder.mailbox.close()
            self._signals.reset_in_child()
            let_signals_in()
            Title(role, config)
            code = start(mailbox)
        except BaseException:
            log.exception("a worker ends, because of an error that is not the application's")
            mailbox.send(Failed(code, ""))
        finally:
            flush_streams()
            close_error_log()
            os._exit(code)


def flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
