"""How a worker ends: what it does next, and when. Pure: no socket, no greenlet, no clock.

A `Draining` is told what happened (`begin`, `deafened`, `tunnel_begun`) and asked what to do
(`steps`) and when to ask again (`wake_at`). A connection that was accepted is
waited for until the grace is over; one that an application has taken over has
been told, and may have a shorter grace. Times are monotonic seconds.
"""

from enum import Enum, auto
from math import inf


class Step(Enum):
    #: Let the listeners go, and tell every connection.
    LEAVE = auto()
    #: Tell who wants to know that there is no time.
    HURRY = auto()
    #: Tell the master that no more connections are accepted.
    SAY_WITHDRAWN = auto()
    #: Close what applications have taken over, while requests go on.
    CLOSE_TUNNELS = auto()
    #: Name what is still in progress.
    NAME_UNFINISHED = auto()
    END = auto()


class Draining:
    """See the module. `hurried` tells whether it was to end at once; once it is `over` nothing is left to do."""

    def __init__(self, tunnel_grace: float = inf) -> None:
        self._tunnel_grace = tunnel_grace
        self.begun = False
        self.hurried = False
        self.over = False
        #: No other connection can come.
        self._deaf = False
        self._withdrawn_said = False
        self._ends_at = inf
        self._tunnels_end_at = inf
        self._tunnels_closed = False
        self._news: list[Step] = []

    # What happened.

    def begin(self, grace: float, now: float) -> None:
        """End within *grace* seconds. To be told again can bring the end forward, but never put it off."""
        if not self.begun:
            self.begun = True
            self._tunnels_end_at = now + self._tunnel_grace
            self._news.append(Step.LEAVE)
        if grace <= 0 and not self.hurried:
            self.hurried = True
            self._news.append(Step.HURRY)
        self._ends_at = min(self._ends_at, now + max(grace, 0.0))

    def deafened(self) -> None:
        """The listeners' queues are emptied, and the listeners let go."""
        self._deaf = True
        self._say_withdrawn()

    def tunnel_begun(self) -> None:
        """A request was taken over since the last of them were told, and perhaps closed."""
        self._tunnels_closed = False

    # What to do.

    def steps(self, now: float, requests: int, tunnels: int) -> list[Step]:
        """Return what to do next, in this order, while there are so many connections: taken over, and others."""
        if self.over or not self.begun:
            return []
        if self._may_end(now, requests, tunnels):
            self._end(requests + tunnels)
        elif now >= self._tunnels_end_at and not self._tunnels_closed:
            self._tunnels_closed = True
            self._news.append(Step.CLOSE_TUNNELS)
        steps, self._news = self._news, []
        return steps

    def wake_at(self) -> float | None:
        """Return when `steps` could answer something new though nothing has happened, or None."""
        if self.over or not self.begun:
            return None
        return self._ends_at if self._tunnels_closed else min(self._ends_at, self._tunnels_end_at)

    def _may_end(self, now: float, requests: int, tunnels: int) -> bool:
        kept = requests or (tunnels and now < self._tunnels_end_at)
        return now >= self._ends_at or (self._deaf and not kept)

    def _end(self, unfinished: int) -> None:
        self.over = True
        if unfinished:
            self._news.append(Step.NAME_UNFINISHED)
        self._say_withdrawn()
        self._news.append(Step.END)

    def _say_withdrawn(self) -> None:
        if not self._withdrawn_said:
            self._withdrawn_said = True
            self._news.append(Step.SAY_WITHDRAWN)
