"""The master: one loop over a wakeup descriptor and the mailboxes.

It tells the fleet what happened and does what the fleet answers. It loads no
application and no gevent, and runs no thread, so a fork is always safe; and it
sleeps until something happens or the fleet wants to be asked again.
"""

import logging
import math
import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack

from greenserve import mailbox
from greenserve.config import Config
from greenserve.errors import FatalError
from greenserve.log import flush_error_log, reopen_error_log
from greenserve.master import journal, mold, moves, watcher
from greenserve.master.crew import Crew
from greenserve.master.examiner import Examiner
from greenserve.master.fleet import Fleet
from greenserve.master.listener import Listener, take_passed_listeners
from greenserve.master.listeners import Listeners
from greenserve.master.notify import Notifier
from greenserve.master.owner import find_owner, make_log_files
from greenserve.master.pidfile import Pidfile
from greenserve.master.plan import plan_of
from greenserve.master.prompter import Prompter
from greenserve.master.signals import Signals, hold_commands_back
from greenserve.master.succession import Succession, take_estate
from greenserve.seat import Seat
from greenserve.title import Title

log = logging.getLogger("greenserve.error")

#: In seconds; poll() takes no more than 24 days, and a timeout may be given as a year.
LONGEST_SLEEP = 3600.0


class Master:
    """`run` serves until it is told to stop, and returns the exit code."""

    def __init__(
        self,
        config: Config,
        reload_config: Callable[[], Config],
        start_worker: Callable[[Seat], int],
        *,
        bind_given: bool = True,
        served: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a master that listens nowhere yet.

        `start_worker` runs in each forked child and returns its exit code.
        Without `bind_given` sockets passed by the service manager replace
        config.bind; with it they are added. `served` is called whenever all
        workers are ready.
        """
        self._config = config
        self._configs = {1: config}
        self._reload_config = reload_config
        self._start_worker = start_worker
        self._bind_given = bind_given
        self._served = served
        self._fleet = Fleet(plan_of(config))
        self._prompter = Prompter(config)
        self._notifier = Notifier()
        self._introduced = False
        #: The failure of each generation that was shown: a screen is for a person, once.
        self._shown: dict[int, str] = {}
        self._commands: dict[str, Callable[[], None]] = {
            "stop": self._stop,
            "quit": self._quit,
            "reload": self._reload,
            "reopen": self._reopen,
            "grow": self._grow,
            "shrink": self._shrink,
            "upgrade": self._upgrade,
            "rest": self._rest,
        }

    def run(self) -> int:
        """Listen, fork, serve, stop. Raises ConfigError if it cannot begin."""
        with ExitStack() as held:
            self._open(held)
            code = self._serve()
            hold_commands_back()
            return code

    # Beginning.

    def _open(self, held: ExitStack) -> None:
        if self._config.reload:
            watcher.require_watchfiles()
        mold.prepare(self._config)
        self._signals = Signals()
        held.callback(self._signals.close)
        self._prompter.start()
        held.callback(self._prompter.end)
        estate = take_estate()
        self._listeners = Listeners(estate.listeners if estate else take_passed_listeners(), self._bind_given)
        held.callback(self._listeners.close)
        self._listeners.assign(1, self._listeners.open(self._config), self._config.backlog)
        self._prompter.listen([listener.socket for listener in self._listeners.current])
        self._pidfile = self._write_pidfile(held, beside=estate is not None)
        self._title = Title("master", self._config)
        self._crew = Crew(self._start_worker, self._listeners, self._signals)
        held.callback(self._crew.molds.end)
        self._examiner = Examiner(self._fleet, self._crew)
        self._succession = Succession(self._crew, self._listeners, self._notifier, estate)
        self._watcher = self._crew.fork_watcher(watcher.watch, self._config) if self._config.reload else None

    def _write_pidfile(self, held: ExitStack, beside: bool) -> Pidfile | None:
        """Write it *beside* that of the master we are to replace, as gunicorn does, or in its own place."""
        if not self._config.pidfile:
            return None
        pidfile = Pidfile(f"{self._config.pidfile}.2" if beside else self._config.pidfile)
        pidfile.write(*find_owner(self._config))
        held.callback(pidfile.remove)
        return pidfile

    # The loop.

    def _serve(self) -> int:
        while (outcome := self._fleet.outcome) is None:
            for move in self._fleet.actions(time.monotonic()):
                self._carry_out(move)
            self._sleep()
            self._look_around()
        if outcome:
            log.error("the server ends: no worker could start (exit code %d)", outcome)
        else:
            log.info("the server has stopped")
        return outcome

    def _sleep(self) -> None:
        """Wait for a signal or a message, but no longer than the fleet and the heartbeats allow."""
        if self._fleet.outcome is not None:
            return
        now = time.monotonic()
        times = [self._fleet.wake_at(now), self._examiner.next_look(self._config.timeout)]
        times += [self._notifier.feed_watchdog(now), flush_error_log()]
        times.append(self._title.tell(now, *journal.describe_fleet(self._fleet)))
        wake_at = min((moment for moment in times if moment is not None), default=None)
        self._examiner.sleeps_until(wake_at)
        poll = select.poll()
        poll.register(self._signals.fileno(), select.POLLIN)
        for hand in self._crew.hands.values():
            if not hand.mailbox.closed:
                poll.register(hand.mailbox.fileno(), select.POLLIN)
        seconds = LONGEST_SLEEP if wake_at is None else min(max(0.0, wake_at - now), LONGEST_SLEEP)
        poll.poll(math.ceil(seconds * 1000))

    def _look_around(self) -> None:
        self._examiner.woke()
        for pid in list(self._crew.hands):
            self._read_mail(pid)
        # Before the dead are counted: a death after this leaves another byte, and
        # wakes us again; and Ctrl-C reaches the workers too, who have then died of a stop.
        for name in self._signals.receive():
            self._obey(name)
        for pid, code in self._crew.reap():
            # What it said last counts before its death.
            self._read_mail(pid)
            self._crew.bury(pid)
            self._note_death(pid, code)
        self._examiner.look(self._config.timeout)
        self._look_at_canary()
        self._follow_succession()

    # What happened: mail, deaths, silence.

    def _read_mail(self, pid: int) -> None:
        for message in self._crew.receive(pid):
            try:
                self._hear(pid, message)
            except (TypeError, ValueError):
                log.warning("pid %d sent a message that makes no sense: %s", pid, repr(message)[:200])

    def _hear(self, pid: int, message: mailbox.Message) -> None:
        match message:
            case mailbox.Ready() if pid == self._succession.heir:
                self._hand_over()
            case mailbox.Hello():
                self._introduce(message)
            case mailbox.Ready(seconds):
                self._note_ready(pid, float(seconds))
            case mailbox.Failed(exit_code, screen):
                self._note_failure(pid, int(exit_code), str(screen))
            case mailbox.Retire(reason, lingers, grace):
                self._fleet.retire(pid, lingers=bool(lingers), grace=math.inf if grace is None else float(grace))
                log.info("%s retires: %s", self._name(pid), reason)
            case mailbox.Withdrawn():
                self._fleet.withdrawn(pid, time.monotonic())
            case mailbox.Molded(mold_pid):
                self._crew.adopt_mold(pid, int(mold_pid))
            case mailbox.Command(name):
                self._obey(name)

    def _introduce(self, hello: mailbox.Hello) -> None:
        """Say what runs here, once; only a worker knows, for the master has no gevent."""
        if self._introduced:
            return
        self._introduced = True
        log.info("%s", journal.banner(hello))
        for listener in self._listeners.current:
            log.info("listening on %s", listener.url(self._config.tls))
        log.info("%s", journal.count(self._fleet.size, "worker"))
        log.info("pid %d", os.getpid())

    def _note_ready(self, pid: int, seconds: float) -> None:
        self._fleet.ready(pid, time.monotonic())
        worker = self._fleet.workers.get(pid)
        if worker is not None and worker.serving:
            log.info("%s is ready after %.2f s", journal.name(worker), seconds)

    def _note_failure(self, pid: int, exit_code: int, screen: str) -> None:
        worker = self._fleet.workers.get(pid)
        if worker is None:
            return
        proven = self._fleet.is_proven(worker.generation)
        self._fleet.failed(pid, exit_code, time.monotonic())
        shown = self._shown.get(worker.generation)
        if screen and (shown is None or (proven and screen != shown)):
            self._shown[worker.generation] = screen
            log.error(screen)
        else:
            # Of a generation that never worked, each worker says the same at the same time.
            sentence = "ends for the reason that stands before" if worker.ready else "cannot start either"
            log.log(logging.WARNING if proven else logging.DEBUG, "%s %s", journal.name(worker), sentence)

    def _note_death(self, pid: int, code: int) -> None:
        if pid == self._watcher:
            log.warning("the watcher of --reload %s: changes are not noticed any more", journal.describe_exit(code, False))
            return
        self._prompter.bury(pid)
        if pid == self._succession.heir:
            self._note_heirs_death(code)
            return
        worker = self._fleet.exited(pid, time.monotonic())
        if worker is None:
            log.debug("pid %d, an orphan, %s", pid, journal.describe_exit(code, True))
            return
        level, sentence = journal.describe_death(worker, code, self._fleet.stopping)
        log.log(level, "%s %s", journal.name(worker), sentence)

    def _look_at_canary(self) -> None:
        if self._config.canary:
            for pid in self._fleet.on_trial:
                self._fleet.judge(pid, *self._crew.read_answers(pid), time.monotonic())

    def _name(self, pid: int) -> str:
        worker = self._fleet.workers.get(pid)
        return f"pid {pid}" if worker is None else journal.name(worker)

    # What to do: the fleet's moves.

    def _carry_out(self, move: moves.Move) -> None:
        match move:
            case moves.Fork(number, generation):
                self._fork(number, generation)
            case moves.Relieve(pid):
                self._crew.send(pid, mailbox.Relieved())
            case moves.Drain(pid, grace):
                self._crew.send(pid, mailbox.Drain(grace))
            case moves.Examine(pid, seconds):
                self._examine(pid, seconds)
            case moves.Abort(pid, why):
                log.error("%s is aborted: %s" + self._examiner.hear(pid), self._name(pid), why)
                self._crew.abort(pid)
            case moves.Kill(pid, why):
                self._kill(pid, why)
            case moves.Settled(generation):
                self._note_settled(generation)
            case moves.Abandoned(generation, kept, why):
                self._note_abandoned(generation, kept, why)
            case moves.LongBoot(pid, seconds):
                log.warning("%s has been loading the application for %.0f s", self._name(pid), seconds)
            case moves.CrashLoop():
                log.error("%s", journal.CRASH_LOOP)

    def _fork(self, number: int, generation: int) -> None:
        if self._crew.molds.is_loading(generation):
            # The fleet asks again when something has happened, such as that it is loaded.
            return
        now = time.monotonic()
        try:
            worker = self._prompter.fork(number, self._configs[generation])
            pid = self._crew.fork_worker(number, generation, self._configs[generation], worker)
        except OSError as error:
            self._fleet.fork_failed(now)
            log.error("worker %d cannot be forked (%s); another try follows", number, error.strerror)
        else:
            self._fleet.forked(pid, number, generation, now)
            self._prompter.forked(worker, pid)

    def _examine(self, pid: int, seconds: float) -> None:
        request = self._examiner.ask(pid) or "no request"
        log.error("%s has been stuck for %.1f s, since it began %s: another takes its place", self._name(pid), seconds, request)

    def _kill(self, pid: int, why: str) -> None:
        if why:
            # Where it was has lines of its own, which an argument would not keep.
            log.error("%s is killed: %s" + self._examiner.question(pid), self._name(pid), why)
        self._crew.kill(pid)

    def _note_settled(self, generation: int) -> None:
        self._configs = {generation: self._configs[generation]}
        self._crew.molds.keep(generation)
        for name in self._listeners.keep(generation):
            log.info("no longer listening on %s", name)
        status = f"generation {generation}: {journal.count(self._fleet.size, 'worker')} ready"
        if generation > 1:
            log.info("%s", status)
        self._succession.settled(status)
        self._prompter.ready()
        self._served()

    def _note_abandoned(self, generation: int, kept: int, why: str) -> None:
        self._config = self._configs[kept]
        self._crew.molds.drop(generation)
        self._listeners.abandon(generation)
        self._prompter.follow(self._config)
        self._prompter.listen([listener.socket for listener in self._listeners.current])
        self._prompter.resize(self._fleet.size)
        log.error("the new code was not taken: generation %d %s, generation %d goes on", generation, why, kept)
        cause = journal.summarize(self._shown.get(generation, ""))
        self._notifier.tell_ready(f"generation {kept}: goes on, for generation {generation} {why}{cause}")

    # What is asked for: signals and Commands, one door.

    def _obey(self, name: str) -> None:
        command = self._commands.get(name)
        if command is None:
            log.warning("unknown command %r", name)
        else:
            command()

    def _stop(self) -> None:
        self._end(quick=False)

    def _quit(self) -> None:
        self._end(quick=True)

    def _end(self, quick: bool) -> None:
        before = self._fleet.grace
        self._crew.announce_end()
        self._fleet.stop(time.monotonic(), quick=quick)
        if self._fleet.grace == before:
            return
        sentence = f"stopping: what is in flight has {self._fleet.grace:g} s" if self._fleet.grace else "stopping at once"
        log.info("%s", sentence)
        self._succession.stopping(sentence, resting=self._fleet.size == 0)

    def _reload(self) -> None:
        """Read the configuration again, and want a generation that runs by it; keep the old one if it is wrong."""
        if self._fleet.stopping:
            return
        if self._fleet.size == 0:
            self._come_back()
            return
        self._notifier.tell_reloading("reading the configuration")
        try:
            config = self._reload_config()
            mold.prepare(config)
            listeners = self._listeners.open(config)
        except (FatalError, OSError) as error:
            log.error("the configuration in force stays: %s", error)
            self._notifier.tell_ready(f"generation {self._fleet.generation}: goes on, for the new configuration is wrong")
            return
        self._want(config, listeners)

    def _want(self, config: Config, listeners: list[Listener]) -> None:
        for listener in listeners:
            if listener not in self._listeners.current:
                log.info("listening on %s", listener.url(config.tls))
        generation = self._fleet.reload(time.monotonic(), plan_of(config))
        self._listeners.assign(generation, listeners, config.backlog)
        self._config = self._configs[generation] = config
        self._prompter.follow(config)
        self._prompter.listen([listener.socket for listener in listeners])
        self._prompter.resize(self._fleet.size)
        self._prompter.reload()
        log.info("reloading: generation %d", generation)

    def _reopen(self) -> None:
        make_log_files(self._config)
        reopen_error_log()
        self._crew.send_all(mailbox.ReopenLogs())
        log.info("the logs are open anew")

    def _grow(self) -> None:
        self._resize(self._fleet.size + 1)

    def _shrink(self) -> None:
        self._resize(max(1, self._fleet.size - 1))

    def _resize(self, size: int) -> None:
        self._fleet.resize(size)
        self._prompter.resize(size)
        log.info("%s from now on", journal.count(size, "worker"))

    # Another master in our place.

    def _upgrade(self) -> None:
        if not self._fleet.stopping:
            self._prompter.replace()
            self._succession.begin(self._config)

    def _rest(self) -> None:
        """Let the workers go and stay, as gunicorn's users ask of the old master; a terminal sends this for less."""
        if self._config.daemon or self._succession.heir is not None:
            self._fleet.resize(0)
            log.info("the workers leave, and this master stays; HUP brings them back")

    def _hand_over(self) -> None:
        self._succession.hand_over()
        self._fleet.resize(0)

    def _come_back(self) -> None:
        """Have workers again, with the configuration in force; the heir leaves when they are ready."""
        self._succession.take_back()
        self._resize(self._config.resolved_workers)

    def _note_heirs_death(self, code: int) -> None:
        self._succession.heir_died(code)
        if self._fleet.size == 0 and not self._fleet.stopping:
            self._come_back()

    def _follow_succession(self) -> None:
        """See what the coming and going of workers means for the two masters."""
        self._succession.move_in(self._pidfile, self._config.pidfile)
        if self._fleet.deaf:
            # Who comes now is refused, and does not wait for the last request in progress to be reset.
            self._crew.molds.keep(None)
            self._listeners.close()
        if self._succession.leaving and not self._fleet.workers:
            self._fleet.stop(time.monotonic())
        elif sum(worker.ready for worker in self._fleet.workers.values() if worker.serving) >= self._fleet.size > 0:
            self._succession.is_back()
