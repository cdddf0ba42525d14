"""Faults in a row, and the pauses they cost: what speaks against the code, not against the weather. Pure."""

from collections import deque
from math import inf

#: The pause before a fork doubles from the second fault in a row on, up to this.
LONGEST_PAUSE = 30.0

#: Of those that die together so many count one by one; more must not make the pause longer.
BATCH = 4

#: In a row of faults there are no more forks than this in so many seconds.
BOOTS = 5
WINDOW = 5.0


def pause_after(faults: int) -> float:
    """Return the seconds to wait before the next fork: 0, 0, 0.5, 1, 2, 4 ... for 0, 1, 2 ... faults in a row."""
    if faults < 2:
        return 0.0
    return float(min(LONGEST_PAUSE, 0.5 * 2 ** min(faults - 2, 10)))


class Faults:
    """Times are monotonic seconds."""

    def __init__(self) -> None:
        self.count = 0
        #: Who was born before has nothing to say about whether the latest fault was the last.
        self.latest = -inf
        self.pause_ends = -inf
        #: The first death of those that were born before it.
        self._batch_began = -inf
        self._boots: deque[float] = deque(maxlen=BOOTS)

    def booted(self, now: float) -> None:
        """Take note of a fork: whatever the pauses are, there are not many in a short time."""
        self._boots.append(now)

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, now: float, born: float) -> bool:
        """Count what befell somebody *born* then; return whether it is the one that begins the pauses."""
        paused = self.count >= 2
        # Those born together die together: many deaths of one cause.
        if born >= self._batch_began or self.count < BATCH:
            self.count += 1
        if born >= self._batch_began:
            self._batch_began = now
        self.latest = now
        # One death alone may be anybody's doing, and is made good at once.
        full = self._boots[0] + WINDOW if len(self._boots) == BOOTS and self.count > 1 else -inf
        self.pause_ends = max(now + pause_after(self.count), full)
        return self.count >= 2 and not paused

    def forget(self, now: float) -> None:
        self.count = 0
        self.latest = now
        self.pause_ends = -inf
