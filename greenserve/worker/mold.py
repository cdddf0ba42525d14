"""`--preload`: one process that has loaded the application becomes many.

A mold is a copy of the worker that has loaded it, made before that worker
serves. No hub ever turns in a mold: it waits with what was there before the
patching, forks a worker whenever the master orders one, and ends with the master.
"""

import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from errno import EAGAIN
from select import POLLIN

import gevent
from gevent import monkey

from greenserve.hooks import HookWorker
from greenserve.log import AccessLog, reopen_error_log
from greenserve.mailbox import Born, Cast, Molded, MoldMailbox, adopt_mailbox
from greenserve.seat import Seat
from greenserve.title import Title
from greenserve.worker.stacks import answer_examiner

(poll,) = monkey.get_original("select", ["poll"])
fork, waitpid = monkey.get_original("os", ["fork", "waitpid"])

#: What a terminal or a supervisor sends to every process of a group: the master decides what follows.
NOISE = (
    signal.SIGTERM,
    signal.SIGQUIT,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


def settle_memory() -> None:
    """Leave what is loaded out of every later garbage collection, which would write to it and so copy it."""
    for stream in (sys.stdout, sys.stderr):
        # Or each copy of the process would print it again.
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    gc.collect()
    gc.freeze()


def divide(seat: Seat, access_log: AccessLog | None) -> Seat:
    """Split a mold off, and return the seat of the worker that this process is.

    Returns in the process that calls it, and in each worker that is forked
    from the mold; never in the mold itself.
    """
    assert seat.mold is not None
    try:
        pid = fork_apart()
    except OSError:
        pid = -1
    if pid == 0:
        return Mold(seat, seat.mold, access_log).run()
    seat.mold.close()
    seat.mailbox.send(Molded(max(pid, 0)))
    return seat


class Mold:
    """This process, from now on."""

    def __init__(self, seat: Seat, mailbox: MoldMailbox, access_log: AccessLog | None) -> None:
        """The seat is that of the worker that this process was."""
        seat.mailbox.close()
        self._seat = seat
        self._mailbox = mailbox
        self._access_log = access_log
        Title("mold", seat.config)
        # Not handled: faulthandler has handlers run on a stack of its own, which six of them at once overflow.
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, NOISE)

    def run(self) -> Seat:
        """Fork workers as they are ordered, and return in each of them; the process ends when the master does."""
        waiting = poll()
        waiting.register(self._mailbox.fileno(), POLLIN)
        while not self._mailbox.closed:
            waiting.poll()
            for message in self._mailbox.receive():
                if isinstance(message, Cast):
                    seat = self._cast(message.number, self._mailbox.handed.pop(0))
                    if seat is not None:
                        return seat
                else:
                    self._reopen_logs()
        # Before the log, so that the ports are free when nobody is left to speak.
        for listener in self._seat.listeners:
            listener.close()
        os._exit(0)

    def _cast(self, number: int, end: int) -> Seat | None:
        """Fork a worker; return its seat in the worker itself, and None here."""
        try:
            pid = fork_apart()
        except OSError:
            pid = -1
        if pid == 0:
            return self._take_seat(number, end)
        os.close(end)
        self._mailbox.send(Born(max(pid, 0)))
        return None

    def _take_seat(self, number: int, end: int) -> Seat:
        gevent.reinit()
        self._mailbox.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        Title(f"worker {number}", self._seat.config)
        row = self._seat.scoreboard.row(number - 1)
        answer_examiner(row)
        worker = HookWorker(self._seat.worker.server, number, self._seat.config)
        return self._seat._replace(number=number, mailbox=adopt_mailbox(end), row=row, worker=worker, mold=None)

    def _reopen_logs(self) -> None:
        reopen_error_log()
        if self._access_log is not None:
            self._access_log.reopen()


def fork_apart() -> int:
    """Fork a child of the master: return its pid here, where the master has it already, and 0 in the child.

    The process in the middle tells the pid and dies. Raises OSError.
    """
    reading, writing = os.pipe()
    middle = quietly(fork)
    if middle == 0:
        fork_in_the_middle(writing)
        os.close(reading)
    os.close(writing)
    if middle == 0:
        return 0
    told = os.read(reading, 32)
    os.close(reading)
    waitpid(middle, 0)
    if not told:
        raise OSError(EAGAIN, os.strerror(EAGAIN))
    return int(told)


def fork_in_the_middle(writing: int) -> None:
    """Return in the child; tell its pid and end here."""
    try:
        pid = quietly(fork)
        if pid == 0:
            return
        os.write(writing, str(pid).encode())
    except OSError:
        os._exit(1)
    os._exit(0)


def quietly(call: Callable[[], int]) -> int:
    """Python warns of a fork beside threads; which there are has been said better."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return call()
