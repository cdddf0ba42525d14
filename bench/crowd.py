"""Load that is connections: many that stay, how they are shared out, and readers that are slow."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import NamedTuple

from bench.answers import ask, receive_answer
from bench.load import Outcome, Visit, Wrk, wait_until_quiet
from bench.processes import ServerFault

#: Connections that can be opened or asked in a second, roughly.
PACE = 10_000

#: What a slow reader takes, how often a second, and how much may wait for it: 160 KiB/s, a poor mobile connection.
SIP = 16 * 1024
INTERVAL = 0.1
WINDOW = 64 * 1024

#: Seconds in which nothing more went into the buffers of those that are slow, so that they are full.
FILLING = 0.5


class Idle(NamedTuple):
    """KiB of the server's memory for each of *connections* that were answered once, after *quiet* seconds."""

    connections: int
    quiet: float

    def lasts(self, seconds: int) -> float:
        return self.quiet + 3 * self.connections / PACE

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

    def lasts(self, seconds: int) -> float:
        return 2 * self.connections / PACE

    def apply(self, visit: Visit) -> Outcome:
        with open_crowd(visit, self.connections) as crowd:
            taken = Counter(ask_each(crowd, visit))
        return Outcome(max(taken.values()) * self.workers / self.connections)


class Shares(NamedTuple):
    """The requests of the busiest worker over the mean, under *load*. The application counts them."""

    load: Wrk
    workers: int
    #: What asks any worker for the counts of all.
    question: bytes

    def lasts(self, seconds: int) -> float:
        return self.load.lasts(seconds)

    def apply(self, visit: Visit) -> Outcome:
        before = self._ask_counts(visit)
        outcome = self.load.apply(visit)
        counts = self._ask_counts(visit)
        counts.subtract(before)
        return outcome._replace(figure=max(counts.values()) * self.workers / counts.total())

    def _ask_counts(self, visit: Visit) -> Counter[str]:
        return Counter(json.loads(ask(visit.address, self.question).content))


class BesideSlowReaders(NamedTuple):
    """What *load* costs while as many others read the same answer slowly."""

    load: Wrk
    connections: int

    def lasts(self, seconds: int) -> float:
        return self.load.lasts(seconds) + 2 * FILLING

    def apply(self, visit: Visit) -> Outcome:
        with open_crowd(visit, self.connections) as crowd:
            for connection in crowd:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
                connection.sendall(visit.request)
            with read_slowly(crowd):
                wait_until_quiet(visit.server, FILLING)
                return self.load.apply(visit)


@contextmanager
def open_crowd(visit: Visit, count: int) -> Iterator[list[socket.socket]]:
    """Open *count* connections; raises ServerFault if one is refused."""
    with ExitStack() as opened:
        try:
            yield [opened.enter_context(visit.address.connect()) for _ in range(count)]
        except OSError as error:
            raise ServerFault(f"a connection of {count} was lost: {error}") from error


@contextmanager
def read_slowly(crowd: list[socket.socket]) -> Iterator[None]:
    """Let all of the crowd read a little now and then, for the length of the block; raises ServerFault if one is cut off."""
    enough, lost = Event(), Counter[str]()
    reader = Thread(target=sip_from_all, args=(crowd, enough, lost))
    reader.start()
    try:
        yield
    finally:
        enough.set()
        reader.join()
    if lost:
        raise ServerFault("slow readers were cut off: " + ", ".join(lost))


def sip_from_all(crowd: list[socket.socket], enough: Event, lost: Counter[str]) -> None:
    while not enough.wait(INTERVAL):
        for connection in crowd:
            try:
                lost.update([] if connection.recv(SIP, socket.MSG_DONTWAIT) else ["the answer ended"])
            except BlockingIOError:
                # One that was left without an answer waits as well.
                pass
            except OSError as error:
                lost[str(error)] += 1


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
