"""A terminal that a test types into, as the reader of a tutorial does.

A real one, with a shell that runs one command after the other, so a page may
change directory, activate an environment and leave a server running.
"""

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.support.server import session_of

#: The exit status of the last command, between two characters that nothing else shows.
PROMPT = "\x02$?\x03"
SUCCESS = "\x020\x03"
_FAILURE = re.compile("\x02[1-9][0-9]*\x03")

#: Seconds for one command; installing is the longest.
DEADLINE = 60.0

_NUMBER = re.compile(r"\d+")
_SPACE = re.compile(r"(?:\\ )+")


class Terminal:
    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._screen, behind = pty.openpty()
        silence(behind)
        # setsid makes it the controlling terminal, without which an interactive shell complains.
        self._shell = subprocess.Popen(
            ["setsid", "--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"],
            cwd=directory,
            env={**environ, "PS1": PROMPT, "PS2": "", "TERM": "dumb", "HISTFILE": "/dev/null"},
            stdin=behind,
            stdout=behind,
            stderr=behind,
        )
        os.close(behind)
        self._unread = ""
        #: Everything that was ever shown.
        self.text = ""
        self.wait_for_prompt()

    def type(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())

    def wait_for(self, line: str) -> None:
        """Return when *line* has been shown; numbers may differ, and `...` is anything. Raises AssertionError otherwise."""
        self._read_until(pattern_of(line))

    def wait_for_prompt(self) -> None:
        self._read_until(SUCCESS)

    def close(self) -> None:
        """End the shell and whatever still runs in its session; a server takes a hang-up for a reload."""
        for process in psutil.process_iter():
            if session_of(process.pid) == self._shell.pid:
                process.kill()
        self._shell.wait(DEADLINE)
        os.close(self._screen)

    def _read_until(self, pattern: str) -> None:
        """Take what is shown up to the first match of *pattern*; AssertionError if a command fails before."""
        deadline = time.monotonic() + DEADLINE
        while (match := re.search(pattern, self._unread)) is None:
            ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{pattern!r} was not shown:\n{self.text}"
            self._receive()
            assert not _FAILURE.search(self._unread), f"a command failed:\n{self.text}"
        self._unread = self._unread[match.end() :]

    def _receive(self) -> None:
        shown = os.read(self._screen, 65536).decode(errors="replace").replace("\r\n", "\n")
        self.text += shown
        self._unread += shown


def silence(terminal: int) -> None:
    """Do not show what is typed: only what commands show is of interest."""
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def pattern_of(line: str) -> str:
    """Return what matches *line* with any numbers and any white space in it, and with anything for `...`."""
    parts = [_SPACE.sub(r"\\s+", _NUMBER.sub(r"\\d+", re.escape(part))) for part in line.split("...")]
    return ".*".join(parts)
