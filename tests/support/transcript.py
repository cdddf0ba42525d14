"""Everything a process under test says: its log, and its sd_notify messages.

A thread collects both as they come, so a test waits for words with a deadline;
it never polls and never sleeps. The log's pipe reports its end when the last
process that holds it is gone, which is how we know that none was left behind.
"""

import codecs
import re
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")


class ServerFault(AssertionError):
    """The server under test did not do what it had to; the message ends with its log."""


class Transcript:
    def __init__(self, log: int, notify: socket.socket, copy: Path) -> None:
        self.text = ""
        self.notifications: list[dict[str, str]] = []
        #: Whether every process that could speak is gone.
        self.ended = False
        self._log = open(log, "rb", buffering=0)  # noqa: SIM115 - closed by the thread that reads it
        self._notify = notify
        self._copy = copy
        self._spoken = threading.Condition()
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def wait_for(self, find: Callable[[], Found | None], what: str, timeout: float) -> Found:
        """Return what *find* finds as soon as it finds something; ServerFault if that cannot come or *timeout* is over."""
        with self._spoken:
            self._spoken.wait_for(lambda: find() or self.ended, timeout)
            found = find()
        if not found:
            raise ServerFault(
                f"{what}: not seen, {'and all processes have ended' if self.ended else f'in {timeout} s'}\n{self.describe()}"
            )
        return found

    def wait_for_log(self, pattern: str, times: int, timeout: float) -> re.Match[str]:
        """Return the match number *times* of *pattern*, from 1."""

        def find() -> re.Match[str] | None:
            matches = list(re.finditer(pattern, self.text, re.MULTILINE))
            return matches[times - 1] if len(matches) >= times else None

        return self.wait_for(find, f"{pattern!r} in the log{f', {times} times' if times > 1 else ''}", timeout)

    def wait_for_end(self, timeout: float) -> bool:
        """Return whether every process that could speak is gone within *timeout* seconds."""
        self._collector.join(timeout)
        return self.ended

    def describe(self) -> str:
        return f"--- notified: {self.notifications}\n--- log ({self._copy}):\n{self.text[-20000:]}\n--- end of log"

    def _collect(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        with self._log, self._notify, self._copy.open("wb", buffering=0) as copy, selectors.DefaultSelector() as selector:
            selector.register(self._log, selectors.EVENT_READ)
            selector.register(self._notify, selectors.EVENT_READ)
            while not self.ended:
                # Notifications first: when a test has seen a log line, what was notified before it is there too.
                for key, _ in sorted(selector.select(), key=lambda event: event[0].fileobj is self._log):
                    data = self._log.read(65536) if key.fileobj is self._log else self._hear()
                    with self._spoken:
                        self.text += decoder.decode(data)
                        self.ended = key.fileobj is self._log and not data
                        self._spoken.notify_all()
                    copy.write(data)

    def _hear(self) -> bytes:
        """Note one notification; it is no part of the log."""
        lines = self._notify.recv(65536).decode(errors="backslashreplace").splitlines()
        with self._spoken:
            self.notifications.append(dict(line.partition("=")[::2] for line in lines))
        return b""
