"""Which worker takes the next connection.

All workers accept from one shared listener, since a socket of each one's own
loses what is queued there when its worker goes. Left alone the kernel wakes
whoever is quickest, and one of four workers takes most. So a worker that has
more connections than another steps aside for a moment; what then still waits
it takes after all, for the other one may be busy.
"""

from greenserve.status import Scoreboard, monotonic_ms

#: How many connections more than the least loaded a worker may have: a little
#: while there are few, for counts change while we look, and a share of many.
SLACK = 1
SLACK_SHIFT = 6

#: A worker that has shown no sign of life for so long is not waited for, in milliseconds.
ABSENT_MS = 1500

#: How many connections are taken without looking after stepping aside once,
#: twice and so on: others need some turns to come, but not for ever.
CATCH_UP = (1, 1, 1, 1, 1, 1, 2, 4, 8, 16)


class Balance:
    def __init__(self, scoreboard: Scoreboard, number: int) -> None:
        """*number* is the worker's own, which says where its row is."""
        self._scoreboard = scoreboard
        self._row = scoreboard.row(number - 1)
        self._free = 0
        self._asides = 0

    def takes_next(self) -> bool:
        """Return whether the next connection is for this worker."""
        if self._free:
            self._free -= 1
            return True
        mine = self._row["connections"]
        fewest = self._scoreboard.fewest_connections(monotonic_ms() - ABSENT_MS, mine)
        if mine > fewest + SLACK + (mine >> SLACK_SHIFT):
            return False
        self._asides = 0
        return True

    def waited(self) -> None:
        """Note that this worker has stepped aside, and should not for ever."""
        self._free = CATCH_UP[self._asides]
        self._asides = min(self._asides + 1, len(CATCH_UP) - 1)
