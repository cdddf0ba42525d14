"""Lines on their way to one destination, which may be slow, full or gone.

`add` does not wait and does not raise. Lines are gathered until the loop has
turned, where there is a loop, and written together. What a slow reader does not
take is kept up to a bound; beyond it, and where a write fails, lines are lost
and counted.
"""

import os
import time
from _thread import allocate_lock
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class Taker(Protocol):
    """What lines are written to."""

    path: str

    @property
    def piece(self) -> int:
        """How many bytes of whole lines to write at once; a line that is longer goes alone."""

    def write(self, data: bytes) -> int:
        """Write some of *data*; return how much. Raises BlockingIOError where it would have to wait, and other OSErrors."""

    def await_room(self, seconds: float) -> bool: ...

    def reopen(self) -> None: ...

    def close(self) -> None: ...


#: Calls a function when the loop has turned.
Schedule = Callable[[Callable[[], object]], object]

#: Bytes that are gathered before they are written, even within a turn of the loop.
GATHERED = 1 << 16

#: Bytes that are kept for a reader that does not read.
KEPT = 1 << 20

#: Seconds a slow reader has for the last lines of a process.
LAST_WORDS = 1.0

TOO_SLOW = "it is read too slowly"


def say_nothing(_: object) -> None:
    pass


class Outflow:
    """`lost` counts lines. *note_loss* hears why lines begin to be lost, *note_recovery* how many were."""

    def __init__(
        self,
        file: Taker,
        schedule: Schedule | None = None,
        note_loss: Callable[[str], None] = say_nothing,
        note_recovery: Callable[[int], None] = say_nothing,
    ) -> None:
        self.file = file
        self.lost = 0
        self._schedule = schedule
        self._note_loss = note_loss
        self._note_recovery = note_recovery
        self._lost_now = 0
        self._forget()
        _outflows.add(self)

    def _forget(self) -> None:
        self._scheduled = False
        #: Held while lines are written, and never waited for: whoever finds it held knows that its lines go along.
        self._writing = allocate_lock()
        self._lines: list[bytes] = []
        self._size = 0
        #: The piece that is being written, as far as it is not.
        self._rest = b""
        #: Whether the last that was written is half a line.
        self._torn = False
        #: What goes before the next line if so, until it is written.
        self._mend = b""

    @property
    def pending(self) -> bool:
        return bool(self._rest or self._lines)

    def add(self, lines: bytes) -> None:
        """Take one or several whole lines, to be written soon."""
        if self._size >= KEPT:
            self._lose(lines.count(b"\n"), TOO_SLOW)
            return
        self._lines.append(lines)
        self._size += len(lines)
        if self._schedule is None or self._size > GATHERED:
            self.flush()
        elif not self._scheduled:
            self._scheduled = True
            self._schedule(self.flush)

    def flush(self) -> None:
        """Write as much as is taken without waiting."""
        self._scheduled = False
        # That nothing was refused because nothing was written is no recovery.
        if not self.pending or not self._writing.acquire(False):
            return
        try:
            self._write()
        except BlockingIOError:
            # It is tried again with the next line, and by whoever looks after `pending`.
            return
        except OSError as error:
            self._lose_all(error.strerror or "the write failed")
            return
        finally:
            self._writing.release()
        if self._lost_now:
            self._recover()

    def _write(self) -> None:
        while self._rest or self._lines:
            self._rest = self._rest or self._take_piece()
            self._advance(self.file.write(self._rest))
        self._size = 0

    def _take_piece(self) -> bytes:
        """Return the next lines, as many as are to be written at once."""
        lines = self._lines
        count, size, room = 1, len(lines[0]), self.file.piece - len(self._mend)
        while count < len(lines) and size + len(lines[count]) <= room:
            size += len(lines[count])
            count += 1
        piece = self._mend + b"".join(lines[:count])
        # Another thread may add a line meanwhile, but only behind these.
        del lines[:count]
        self._size -= size
        return piece

    def _advance(self, written: int) -> None:
        self._mend = b""
        self._torn = self._rest[written - 1 : written] != b"\n"
        self._rest = self._rest[written:]

    def _lose_all(self, reason: str) -> None:
        lost = sum(lines.count(b"\n") for lines in (self._rest[len(self._mend) :], *self._lines))
        # What follows half a line begins on a line of its own.
        self._mend = b"\n" if self._torn else b""
        self._rest, self._size = b"", 0
        self._lines.clear()
        self._lose(lost, reason)

    def _lose(self, lines: int, reason: str) -> None:
        self.lost += lines
        first = not self._lost_now
        self._lost_now += lines
        if first:
            self._note_loss(reason)

    def _recover(self) -> None:
        lost, self._lost_now = self._lost_now, 0
        self._note_recovery(lost)

    def reopen(self) -> None:
        """Go on in the file that now has the path, with no line of before. Raises OSError, and goes on with the old one."""
        self.flush()
        self.file.reopen()

    def close(self) -> None:
        """Write what is left; a slow reader has a moment for it."""
        until = time.monotonic() + LAST_WORDS
        self.flush()
        while self.pending and (left := until - time.monotonic()) > 0 and self.file.await_room(left):
            self.flush()
        if self.pending:
            self._lose_all(TOO_SLOW)
        # What is cut off at the end may still want a line; that there is no log any more is no news.
        self._note_loss = say_nothing
        self.file.close()


_outflows: WeakSet[Outflow] = WeakSet()


def forget_what_is_the_parents() -> None:
    """In a forked process: the lines that wait are written by the one that gathered them."""
    for outflow in _outflows:
        outflow._forget()


os.register_at_fork(after_in_child=forget_what_is_the_parents)
