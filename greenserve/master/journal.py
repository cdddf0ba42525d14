"""What the master tells in its log, in words. Text only: who died how is decided elsewhere."""

import logging
import re
import signal
import sys

from greenserve import __version__
from greenserve.mailbox import Hello
from greenserve.master.fleet import Fleet
from greenserve.master.member import Worker

CRASH_LOOP = (
    "workers die soon after they start: the next is started after a pause that grows up to 30 s, until one lives; "
    "why they die stands in the lines before"
)


def banner(hello: Hello) -> str:
    """Return the first line of a server that starts; a worker said truthfully what it runs on."""
    # Not platform.python_version(): on Python 3.10 that module loads subprocess, and every fork would inherit it.
    python = ".".join(map(str, sys.version_info[:3]))
    return f"greenserve {__version__} (gevent {hello.gevent}, {hello.loop}, {hello.code}, CPython {python})"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def name(worker: Worker) -> str:
    return f"worker {worker.number} (pid {worker.pid})"


def describe_fleet(fleet: Fleet) -> list[str]:
    """Return what the title of the master says of it: how many serve, of which generation, or that it ends."""
    ready = sum(worker.ready for worker in fleet.workers.values() if worker.serving)
    return [count(ready, "worker"), f"generation {fleet.generation}", "stopping" if fleet.stopping else ""]


def describe_death(worker: Worker, code: int, stopping: bool) -> tuple[int, str]:
    """Return the log level a worker's death deserves, and the sentence."""
    if worker.failed or worker.killed:
        # The reason stands in the log already.
        return logging.DEBUG, describe_exit(code, asked_to=True)
    if worker.serving and not stopping:
        when = "" if worker.ready else " while it loaded the application"
        return logging.ERROR, f"{describe_exit(code, asked_to=False)}{when}"
    if code == 0:
        return logging.INFO, "has left"
    return logging.WARNING, f"{describe_exit(code, asked_to=False)} on its way out"


def describe_exit(code: int, asked_to: bool) -> str:
    """Say how a process ended; *code* is negative for a signal, as os.waitstatus_to_exitcode has it."""
    if code >= 0:
        return f"exited with code {code}"
    name = signal_name(-code)
    if -code == signal.SIGKILL and not asked_to:
        return f"was killed by {name}; the kernel's out-of-memory killer is likely"
    meaning = signal.strsignal(-code)
    return f"was killed by {name}" + (f" ({meaning.lower()})" if meaning and -code != signal.SIGKILL else "")


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def summarize(screen: str) -> str:
    """Return why an application cannot be loaded, in one line with a colon before it; empty for nothing."""
    raised = re.findall(r"^[A-Za-z_][\w.]*: .+$", screen, re.MULTILINE)
    line = raised[-1] if raised else screen.partition("\n")[0]
    return f": {line}" if line else ""
