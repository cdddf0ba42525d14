"""How many requests may be inside the application at once, and who waits for a place.

Connections take none: an idle one, or one whose request still arrives, keeps
nobody out. Past the limit a request waits in line, and past the length of the
line or its time it is told to come back: late answers help nobody.
"""

from collections import deque
from typing import Any

from gevent import get_hub, getcurrent

from greenserve.errors import Overloaded
from greenserve.status import Row
from greenserve.worker.wire import now


class Ticket:
    """A place in the line."""

    __slots__ = ("called", "deadline", "greenlet")

    def __init__(self, deadline: float) -> None:
        self.greenlet: Any = getcurrent()
        #: On the loop's clock, in seconds.
        self.deadline = deadline
        self.called = False


class Gate:
    def __init__(self, places: int, line: int, patience: float, row: Row) -> None:
        """Let *places* requests in at once and *line* more wait, each for *patience* seconds."""
        self._places = places
        self._line = line
        self._patience = patience
        self._row = row
        self._waiting: deque[Ticket] = deque()

    def enter(self) -> None:
        """Take a place, waiting in line for it. Raises Overloaded (503)."""
        if self._places:
            self._places -= 1
            return
        if len(self._waiting) >= self._line:
            self._turn_away("the line of waiting requests is full")
        ticket = Ticket(now() + self._patience)
        self._wait(ticket)
        if not ticket.called:
            self._turn_away(f"no place became free within {self._patience:g} s")

    def _wait(self, ticket: Ticket) -> None:
        self._waiting.append(ticket)
        try:
            get_hub().switch()
        except BaseException:
            # Killed in the line, or on the way in: nobody else must wait for this one.
            if ticket.called:
                self.leave()
            else:
                self._waiting.remove(ticket)
            raise

    def leave(self) -> None:
        """Give the place to who has waited longest, or back."""
        if self._waiting:
            ticket = self._waiting.popleft()
            ticket.called = True
            self._wake(ticket)
        else:
            self._places += 1

    def expire(self) -> None:
        """Turn away those whose time is up; called by the sweeper, in the hub."""
        moment = now()
        while self._waiting and self._waiting[0].deadline <= moment:
            self._wake(self._waiting.popleft())

    def _wake(self, ticket: Ticket) -> None:
        get_hub().loop.run_callback(ticket.greenlet.switch)

    def _turn_away(self, reason: str) -> None:
        self._row["requests_turned_away"] += 1
        raise Overloaded(reason)
