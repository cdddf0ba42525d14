"""Faults in a row, and the pauses they cost: what speaks against the code, not against the weather. Pure."""

from math import inf

#: The pause before a fork doubles from the second fault in a row on, up to this.
LONGEST_PAUSE = 30.0

#: Of those that die together so many count one by one; more must not make the pause longer.
BATCH = 4


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

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, now: float, born: float) -> bool:
        """Count what befell somebody *born* then; return whether it is the one that begins the pauses."""
        paused = self.count >= 2
        # Those born together die together: many deaths of one cause.
        if born >= self.latest or self.count < BATCH:
            self.count += 1
        self.latest = now
        self.pause_ends = now + pause_after(self.count)
        return self.count >= 2 and not paused

    def forget(self, now: float) -> None:
        self.count = 0
        self.latest = now
        self.pause_ends = -inf
