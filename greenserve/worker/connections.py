"""The open connections of one worker: how many there may be, and which can be let go."""

from collections.abc import Callable, Iterator
from typing import Protocol

from greenserve.status import Row
from greenserve.worker.unfinished import Unfinished


class Member(Protocol):
    """What is asked of a connection here."""

    @property
    def address(self) -> str: ...

    def evict(self) -> None:
        """Close at once; it rests."""

    def drain(self) -> None:
        """Close soon if idle; otherwise the next answer is the last."""

    def close_tunnel(self) -> None:
        """End what the application has taken over, if it has."""

    def find_unfinished(self) -> Unfinished | None:
        """Return the request that the application works on, or None."""


class Connections:
    """*limit* is for all together, *per_address* for one client's; 0 is no limit of that kind."""

    def __init__(self, limit: int, per_address: int, row: Row, changed: Callable[[], None]) -> None:
        """*changed* is called when a connection has ended and somebody waits for that."""
        self._limit = limit
        self._per_address = per_address
        self._row = row
        self._changed = changed
        #: Whether somebody waits for room, or for the last one to end.
        self.awaited = False
        self._open: set[Member] = set()
        #: Those between two requests, or behind their last answer, the longest idle first. A dict, for its order.
        self._idle: dict[Member, None] = {}
        self._addresses: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._open))

    def admit(self, connection: Member) -> bool:
        """Take *connection* in, or return False if its client has enough of them already."""
        if not self.count(connection):
            return False
        self._open.add(connection)
        self._row["accepted"] += 1
        self._row["connections"] = len(self._open)
        return True

    def count(self, connection: Member) -> bool:
        """Count *connection* for its client, or return False if that has enough. One without an address counts for nobody."""
        if self._per_address and connection.address and not self._count_address(connection.address):
            self._row["connections_over_address_limit"] += 1
            return False
        return True

    def dismiss(self, connection: Member) -> None:
        """Forget a connection that has ended."""
        self._open.discard(connection)
        if self._per_address and connection.address:
            self._uncount_address(connection.address)
        self._row["connections"] = len(self._open)
        if self.awaited:
            self._changed()

    def rest(self, connection: Member) -> None:
        """Note that *connection* waits for a request, or for the end."""
        self._idle[connection] = None

    def wake(self, connection: Member) -> None:
        self._idle.pop(connection, None)

    def has_room(self) -> bool:
        """Return whether one more may come, letting the longest idle go for it if need be; called in the hub.

        Who is let go may have a last request to be answered, and is gone later.
        """
        return len(self._open) < self._limit or (self.make_room() and len(self._open) < self._limit)

    def make_room(self) -> bool:
        """Let the longest idle connection go; return whether there was one."""
        oldest = next(iter(self._idle), None)
        if oldest is None:
            return False
        # Each makes room once, though it may need a moment to go.
        self.wake(oldest)
        oldest.evict()
        self._row["connections_evicted"] += 1
        return True

    def drain(self) -> None:
        for connection in self:
            connection.drain()

    def close_tunnels(self) -> None:
        for connection in self:
            connection.close_tunnel()

    def find_unfinished(self) -> list[Unfinished]:
        """Return the requests that the application works on."""
        return [found for connection in self if (found := connection.find_unfinished()) is not None]

    def _count_address(self, address: str) -> bool:
        count = self._addresses.get(address, 0)
        if count >= self._per_address:
            return False
        self._addresses[address] = count + 1
        return True

    def _uncount_address(self, address: str) -> None:
        count = self._addresses.pop(address) - 1
        if count:
            self._addresses[address] = count
