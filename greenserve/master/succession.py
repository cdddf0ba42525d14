"""Binary upgrade: a master starts another in its place, and leaves when that one serves.

The *heir* is the same command line run anew, so it is whatever greenserve and
Python are installed by now; it inherits the listeners, and their queues lose
nobody. The two hold a mailbox as a master and a worker do: the heir says Ready,
and the end of the conversation says that the other one is gone.
"""

import json
import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import NamedTuple

from greenserve.config import Config
from greenserve.kinds import Bind
from greenserve.mailbox import Command, Mailbox, Ready, adopt_mailbox
from greenserve.master.crew import Crew
from greenserve.master.journal import describe_exit
from greenserve.master.listener import Listener, adopt
from greenserve.master.listeners import Listeners
from greenserve.master.notify import Notifier
from greenserve.master.pidfile import Pidfile

log = logging.getLogger("greenserve.error")

#: What an heir finds in its environment.
VARIABLE = "GREENSERVE_UPGRADE"


class Estate(NamedTuple):
    """What the master before us leaves to us."""

    pid: int
    mailbox: Mailbox
    listeners: list[Listener]


class Summons(NamedTuple):
    """The command line that started this process, and where."""

    program: str
    arguments: list[str]
    directory: str


def take_estate(environ: MutableMapping[str, str] = os.environ) -> Estate | None:
    """Return what a master has left to this very process, or None; our children shall not believe it was for them."""
    try:
        heir, pid, mailbox, listeners = json.loads(environ.pop(VARIABLE, ""))
    except (ValueError, TypeError):
        return None
    if heir != os.getpid():
        return None
    return Estate(pid, adopt_mailbox(mailbox), [revive(*one) for one in listeners])


def leave_estate(pid: int, mailbox: Mailbox, listeners: list[Listener]) -> str:
    """Let the program that this process becomes have all that, and return what tells it so. The master is *pid*."""
    for descriptor in (mailbox.fileno(), *(listener.socket.fileno() for listener in listeners)):
        os.set_inheritable(descriptor, True)
    told = [(each.socket.fileno(), each.address and str(each.address), each.file) for each in listeners]
    return json.dumps([os.getpid(), pid, mailbox.fileno(), told])


def revive(descriptor: int, address: str | None, file: list[object] | None) -> Listener:
    listener = adopt(descriptor, VARIABLE, None if address is None else Bind().read(address))
    return Listener(listener.socket, listener.address, None if file is None else tuple(file))  # type: ignore[arg-type]


def recall_summons() -> Summons:
    """Return how this process was started; to be asked while it stands where it was started."""
    return Summons(sys.executable, sys.orig_argv[1:], find_directory())


def find_directory() -> str:
    """Return the working directory as the shell called it: a link like `current` may lead to a new release later."""
    with suppress(OSError):
        named = os.environ.get("PWD", "")
        return named if os.path.isabs(named) and os.path.samefile(named, ".") else os.getcwd()
    return "/"


class Succession:
    """Whom we replace, and who replaces us, if anybody does."""

    def __init__(self, crew: Crew, listeners: Listeners, notifier: Notifier, estate: Estate | None) -> None:
        self._crew = crew
        self._listeners = listeners
        self._notifier = notifier
        self._summons = recall_summons()
        self._estate = estate
        #: The pid of the master that is to replace us.
        self.heir: int | None = None
        #: Whether we leave to the heir, as soon as our workers have.
        self.leaving = False
        self._taken_back = False
        if estate is not None:
            crew.adopt(estate.pid, estate.mailbox)
            listeners.keep_files = True

    @property
    def predecessor(self) -> int | None:
        """The pid of the master that we are to replace, as long as it is there."""
        return None if self._estate is None else self._estate.pid

    # The side of the heir.

    def settled(self, status: str) -> None:
        """All our workers are ready: say so to whom it concerns."""
        if self._estate is not None:
            self._estate.mailbox.send(Ready(0.0))
        self._notifier.tell_ready(status)

    def stopping(self, status: str, resting: bool) -> None:
        """This master stops; the service does not, if another serves. *resting* is after WINCH: a person leaves to the heir."""
        if self.heir is not None and not self.leaving and not resting:
            # Whoever wants the server to stop means the one that is not ready yet, too.
            self._crew.send(self.heir, Command("stop"))
            self._notifier.tell_stopping(status)
        elif (other := self.heir or self.predecessor) is not None:
            self._notifier.tell_main(other)
        else:
            self._notifier.tell_stopping(status)

    def move_in(self, pidfile: Pidfile | None, path: str | None) -> None:
        """Take over what only one can have, if the predecessor is gone."""
        if self._estate is None or not self._estate.mailbox.closed:
            return
        gone, self._estate = self._estate.pid, None
        self._crew.bury(gone)
        self._listeners.keep_files = False
        if pidfile is not None and path is not None:
            pidfile.move(path)
        self._notifier.tell_main(os.getpid())
        log.info("pid %d, the master before this one, is gone", gone)

    # The side of the predecessor.

    def begin(self, config: Config) -> None:
        """Start an heir, unless there is one. It takes our place when it says that it is ready."""
        other = self.heir or self.predecessor
        if other is not None:
            log.warning("an upgrade is under way already, with pid %d", other)
            return
        try:
            self.heir = self._crew.fork_heir(self._become_heir, config)
        except OSError as error:
            log.error("a new master cannot be forked (%s)", error.strerror)
            return
        self._listeners.keep_files = True
        log.info("upgrade: pid %d is to be the new master", self.heir)

    def _become_heir(self, pid: int, mailbox: Mailbox) -> int:
        """Become the program that was installed in our place. Runs in a child."""
        program, arguments, directory = self._summons
        os.environ[VARIABLE] = leave_estate(pid, mailbox, self._listeners.current)
        if "WATCHDOG_PID" in os.environ:
            os.environ["WATCHDOG_PID"] = str(os.getpid())
        try:
            os.chdir(directory)
            os.execv(program, [program, *arguments])
        except OSError as error:
            log.error("%s cannot be started in %s: %s", program, directory, error.strerror)
        return 1

    def hand_over(self) -> None:
        """The heir serves: leave to it."""
        assert self.heir is not None
        log.info("pid %d, the new master, serves: this one leaves", self.heir)
        self.leaving = True
        self._notifier.tell_main(self.heir)

    def take_back(self) -> None:
        """Stay after all, and let the heir go when our workers are there again."""
        if self.leaving:
            log.warning("the upgrade is taken back: this master goes on")
            self.leaving = False
            self._taken_back = True

    def is_back(self) -> None:
        """As many workers as are wanted are ready; the heir is not needed if we stay."""
        if self._taken_back and self.heir is not None:
            self._taken_back = False
            self._crew.send(self.heir, Command("stop"))

    def heir_died(self, code: int) -> None:
        sentence = "the new master (pid %d) %s: this one goes on"
        log.log(logging.ERROR if code else logging.INFO, sentence, self.heir, describe_exit(code, asked_to=True))
        self.heir = None
        self.leaving = self._taken_back = False
        self._listeners.keep_files = False
        self._notifier.tell_main(os.getpid())
