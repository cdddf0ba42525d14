"""Load that is connections: many that stay, and how they are shared out."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from bench.answers import receive_answer
from bench.load import Outcome, Visit, Wrk
from bench.processes import ServerFault

#: Seconds between two looks at a server, and the share of a processor below which it does nothing.
PAUSE = 0.5
QUIET = 0.1


class Idle(NamedTuple):
    """KiB of the server's memory for each of *connections* that were answered once, after *quiet* seconds."""

    connections: int
    quiet: float

    def apply(self, visit: Visit) -> Outcome:
        before = visit.server.memory_kib()
        with open_crowd(visit, self.connections) as crowd:
            ask_each(crowd, visit)
            time.sleep(self.quiet)
            grown = visit.server.memory_kib() - before
            ask_each(crowd, visit)
        return Outcome(grown / self.connections)


class Balance(NamedTuple):
    """The connections of the busiest worker over the mean, where so many have come at once."""

    connections: int
    workers: int

    def apply(self, visit: Visit) -> Outcome:
        with open_crowd(visit, self.connections) as crowd:
            taken = Counter(ask_each(crowd, visit))
        return Outcome(max(taken.values()) * self.workers / self.connections)


class BesideSlowReaders(NamedTuple):
    """What *load* costs while as many others have asked for the same and do not read it."""

    load: Wrk
    connections: int

    def apply(self, visit: Visit) -> Outcome:
        with open_crowd(visit, self.connections) as crowd:
            for connection in crowd:
                connection.sendall(visit.request)
            wait_until_quiet(visit)
            return self.load.apply(visit)


@contextmanager
def open_crowd(visit: Visit, count: int) -> Iterator[list[socket.socket]]:
    """Open *count* connections; raises ServerFault if one is refused."""
    with ExitStack() as opened:
        try:
            yield [opened.enter_context(visit.address.connect()) for _ in range(count)]
        except OSError as error:
            raise ServerFault(f"a connection of {count} was lost: {error}") from error


def wait_until_quiet(visit: Visit) -> None:
    """Wait until the server has filled the buffers of those that do not read."""
    before, used = -1.0, visit.server.cpu_seconds()
    while used - before > QUIET * PAUSE:
        time.sleep(PAUSE)
        before, used = used, visit.server.cpu_seconds()


def ask_each(crowd: list[socket.socket], visit: Visit) -> list[bytes]:
    """Send the request on every connection, then return the content that came on each."""
    for connection in crowd:
        connection.sendall(visit.request)
    return [receive_whole(connection) for connection in crowd]


def receive_whole(connection: socket.socket) -> bytes:
    answer = receive_answer(connection)
    if answer.status != 200:
        raise ServerFault(f"one of a crowd was answered {answer.status}")
    return answer.content
