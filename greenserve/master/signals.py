"""Signals become bytes on a descriptor, read by the master's loop like everything else.

The handlers do nothing, so nothing is ever interrupted half-way; Python's
wakeup descriptor writes the number of each signal into a socket. A fork keeps
all signals waiting: none is lost, and none runs the master's way in the child.
"""

import os
import signal
import socket
from types import FrameType

#: What each signal asks for, in the words of `mailbox.Command`.
COMMANDS = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "quit",
    signal.SIGQUIT: "quit",
    signal.SIGHUP: "reload",
    signal.SIGUSR1: "reopen",
    signal.SIGTTIN: "grow",
    signal.SIGTTOU: "shrink",
    signal.SIGUSR2: "upgrade",
    signal.SIGWINCH: "rest",
}

#: SIGCHLD only wakes the loop: the dead are looked for whenever it turns.
HANDLED = (*COMMANDS, signal.SIGCHLD)


def _wake(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the number is already in the wakeup descriptor."""


class Signals:
    """Signals of this process from here to `close`; `fileno` is readable when some have come."""

    def __init__(self) -> None:
        self._read_end, self._write_end = socket.socketpair()
        self._read_end.setblocking(False)
        self._write_end.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        self._handlers_before = {number: signal.signal(number, _wake) for number in HANDLED}

    def fileno(self) -> int:
        return self._read_end.fileno()

    def receive(self) -> list[str]:
        """Return the commands that have come since the last call, perhaps none."""
        try:
            numbers = self._read_end.recv(4096)
        except BlockingIOError:
            return []
        return [COMMANDS[signal.Signals(number)] for number in numbers if number in COMMANDS]

    def close(self) -> None:
        """Give the signals back to whom they belonged."""
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        self._close_ends()

    def reset_in_child(self) -> None:
        """Leave the child of a fork with the handlers of a new process."""
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        self._close_ends()

    def _close_ends(self) -> None:
        self._read_end.close()
        self._write_end.close()


def fork() -> int:
    """Fork as os.fork does, with all signals held back in the child until it calls `let_signals_in`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def hold_commands_back() -> None:
    """Let nobody change any more how this process ends: its exit code is known, and nothing is left to do."""
    signal.pthread_sigmask(signal.SIG_BLOCK, COMMANDS)


def let_signals_in() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
