"""`--preload`: the molds, processes that have loaded the application and serve nothing.

The first worker of a generation loads the application, splits a mold off and
goes on; the others are forked from the mold. It forks twice over and lets the
one in the middle die, so that each worker becomes the master's own child: it
is killed and reaped like any other, and the death of the mold is nothing to it.
"""

import logging
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from errno import EAGAIN, EPIPE

from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.mailbox import Born, Cast, Mailbox, Message, MoldMailbox, open_mold_mailboxes

log = logging.getLogger("greenserve.error")

#: Of prctl(2): whoever loses its parent among our descendants becomes our child.
PR_SET_CHILD_SUBREAPER = 36

#: A mold forks within milliseconds. The master waits for nothing else meanwhile, so one that does not answer is given up.
ANSWER_MS = 5000


def prepare(config: Config) -> None:
    """Make the orphans of a mold our children, if there are to be molds. Raises ConfigError where the system cannot."""
    if not config.preload_app:
        return
    if sys.platform != "linux":
        raise ConfigError("--preload needs Linux, where a process can adopt the workers that another has forked")
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def is_child(pid: int) -> bool:
    """Tell whether *pid* is our child, alive or not: a mold has run code of the application, and we may kill whom it names."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, OverflowError):
        return False
    return True


class Mold:
    """One mold as the master holds it."""

    def __init__(self, loader: int, mailbox: Mailbox) -> None:
        #: The pid of the worker that loads the application.
        self.loader = loader
        self.mailbox = mailbox
        #: None as long as it loads.
        self.pid: int | None = None

    def fork(self, number: int, end: Mailbox) -> int:
        """Return the pid of a worker that is about to start and holds *end*. Raises OSError if there will be none."""
        if not self.mailbox.hand_over(Cast(number), end):
            raise OSError(EPIPE, "the mold is gone")
        match self._await_answer():
            case Born(pid) if isinstance(pid, int) and pid > 0 and is_child(pid):
                return pid
            case Born():
                raise OSError(EAGAIN, "the mold cannot fork")
        raise OSError(EPIPE, "the mold does not answer")

    def _await_answer(self) -> Message | None:
        poll = select.poll()
        poll.register(self.mailbox.fileno(), select.POLLIN)
        poll.poll(ANSWER_MS)
        return next(iter(self.mailbox.receive()), None)

    def kill(self) -> None:
        self.mailbox.close()
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Molds:
    """At most one for each generation."""

    def __init__(self) -> None:
        self._molds: dict[int, Mold] = {}

    def __iter__(self) -> Iterator[Mold]:
        return iter(self._molds.values())

    def find(self, generation: int) -> Mold | None:
        return self._molds.get(generation)

    def is_loading(self, generation: int) -> bool:
        return generation in self._molds and self._molds[generation].pid is None

    def expect(self, generation: int) -> MoldMailbox:
        """Return the end of a mailbox for the mold that the next worker is to make; `loads` tells who that is."""
        ours, theirs = open_mold_mailboxes()
        self._molds[generation] = Mold(0, ours)
        return theirs

    def loads(self, generation: int, loader: int) -> None:
        self._molds[generation].loader = loader

    def made(self, loader: int, pid: int) -> Mold | None:
        """Return the mold that *loader* has made, None if it has not."""
        for generation, mold in list(self._molds.items()):
            if mold.loader == loader and mold.pid is None:
                if pid > 0 and is_child(pid):
                    mold.pid = pid
                    return mold
                self.drop(generation)
        return None

    def bury(self, pid: int) -> None:
        """Forget the mold that has died, or will not be made because its loader has."""
        for generation, mold in list(self._molds.items()):
            if mold.pid == pid:
                log.warning("the mold (pid %d) is gone: the next worker loads the application anew", pid)
            if pid == (mold.pid or mold.loader):
                self.drop(generation)

    def drop(self, generation: int) -> None:
        mold = self._molds.pop(generation, None)
        if mold is not None:
            mold.kill()

    def give_up(self, mold: Mold) -> None:
        """End a mold that has not done its work; the next worker loads the application anew, and makes another."""
        for generation, each in list(self._molds.items()):
            if each is mold:
                self.drop(generation)

    def keep(self, generation: int | None) -> None:
        """End all molds but that of *generation*; None is none of them."""
        for other in [each for each in self._molds if each != generation]:
            self.drop(other)

    def end(self) -> None:
        """End all molds, and return when what they held is free."""
        molds, self._molds = self._molds, {}
        for mold in molds.values():
            mold.kill()
            if mold.pid is not None:
                with suppress(ChildProcessError):
                    os.waitpid(mold.pid, 0)
