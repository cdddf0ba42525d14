"""`--daemon`: the server leaves the terminal, and the command ends when it serves.

Until then what goes wrong is told there, and the command's exit code is the
server's. Afterwards no process of the server holds anything of the terminal:
whoever waits for the end of our output, as ssh does, gets it.
"""

import os
from collections.abc import Callable

from greenserve.log import leave_standard_streams
from greenserve.master.succession import VARIABLE


def run_detached(run: Callable[[Callable[[], None]], int]) -> int:
    """Have *run* return the exit code in a daemon, and return when it serves, or with its code if it ends before.

    *run* is given what it has to call when it serves. An heir is a daemon
    already, and just runs.
    """
    if VARIABLE in os.environ:
        return run(lambda: None)
    heard, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        os.setsid()
        return run(Detachment(said).complete)
    os.close(said)
    return wait_for(pid, heard)


def wait_for(pid: int, heard: int) -> int:
    """Return 0 as soon as the daemon *pid* says a word, or its exit code."""
    with open(heard, "rb") as pipe:
        if pipe.read(1):
            return 0
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    # As a shell has it for a process that a signal ended.
    return code if code >= 0 else 128 - code


class Detachment:
    """What still ties the daemon to the command: the streams, and the pipe to the process that waits."""

    def __init__(self, said: int) -> None:
        self._said: int | None = said
        replace_streams(0)
        # The master keeps its streams for what it has to tell; nobody it forks may.
        os.register_at_fork(after_in_child=self._leave)

    def complete(self) -> None:
        """The server serves. To say so again is nothing."""
        if self._said is not None:
            os.write(self._said, b".")
        self._leave()

    def _leave(self) -> None:
        # Only once: the children of a worker may have streams that the application gave them.
        if self._said is not None:
            os.close(self._said)
            self._said = None
            replace_streams(0, 1, 2)
            # It holds what was stderr by a descriptor of its own.
            leave_standard_streams()


def replace_streams(*streams: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nothing, stream)
    if nothing > 2:
        os.close(nothing)
