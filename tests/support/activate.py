"""Hand listening sockets to a command, as systemd's socket activation does.

    python activate.py 7,9 -- greenserve hello

The descriptors become 3, 4, ... and LISTEN_PID is the very process that the
command becomes, which no parent can know beforehand. The command is stopped
when whoever started it dies: a killed test run leaves no server behind.
"""

import ctypes
import fcntl
import os
import signal
import sys

FIRST = 3

#: prctl(2): the signal to get when the parent has died. It outlives exec, and no child inherits it.
PR_SET_PDEATHSIG = 1


def place_descriptors(given: list[int]) -> None:
    """Move *given* to 3, 4, ... by way of numbers above, so that none overwrites another."""
    above = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST + len(given)) for fd in given]
    for target, fd in enumerate(above, start=FIRST):
        os.dup2(fd, target, inheritable=True)


def main() -> None:
    descriptors, _, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    given = [int(fd) for fd in descriptors.split(",") if fd]
    if given:
        place_descriptors(given)
        os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=str(os.getpid()))
    os.execvp(command[0], command)


main()
