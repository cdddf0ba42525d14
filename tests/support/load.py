"""Steady load on a server, counted by what the clients received.

Two kinds of clients, mixed: *persistent* ones, which ask again and again on one
connection, and *bursts* of five fresh connections a millisecond apart. A
persistent connection may be closed after an answer that said so
(`Connection: close`); every other broken promise is a failure.

Promises about gaps between answers are made in milliseconds, and a machine that
does other things too keeps everybody waiting longer at times. So the clients of
another server, to which nothing is done, are the *control*: as long as they got
no answers either, a gap is the machine's.
"""

import http.client
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from tests.support.client import Address, RawClient, make_request
from tests.support.proxies import Proxy
from tests.support.server import RunningServer

#: Seconds between two requests of one persistent client, and between two bursts.
PACE = 0.02
BURST = 5
APART = 0.001

#: A gap of the control that is longer is the machine's doing; it has answers every few milliseconds else.
STANDSTILL = 0.05


class Load:
    """What the clients of a load have seen so far."""

    def __init__(self, address: Address, path: str, timeout: float = 30.0) -> None:
        self.failures: list[str] = []
        #: Where the connections that broke came from; 0 for each that could not even be made.
        self.ports_lost: list[int] = []
        self.answers = 0
        self.generations_seen: set[int] = set()
        #: Each time between two answers to anybody that is long enough to tell of: from and until, monotonic.
        self.gaps: list[tuple[float, float]] = []
        self._address = address
        self._path = path
        self._timeout = timeout
        self._last_answer = time.monotonic()
        self._counted = threading.Condition()
        self._ended = threading.Event()

    def wait_for_answers(self, more: int) -> None:
        """Return when *more* answers have come than there are now."""
        with self._counted:
            wanted = self.answers + more
            came = self._counted.wait_for(lambda: self.answers >= wanted, self._timeout)
        assert came, f"{self.answers} answers in {self._timeout} s, {wanted} wanted; failures: {self.failures[:5]}"

    def wait_for_generation(self, generation: int) -> None:
        """Return when *generation* has answered."""
        with self._counted:
            came = self._counted.wait_for(lambda: generation in self.generations_seen, self._timeout)
        assert came, f"no answer of generation {generation} in {self._timeout} s; failures: {self.failures[:5]}"

    def wait_until(self, moment: float) -> None:
        """Return at that monotonic *moment*, the clients being at work."""
        self._ended.wait(max(0.0, moment - time.monotonic()))

    def find_longest_gap(self, control: "Load") -> float:
        """Return the longest time in seconds in which no client got an answer, less that in which *control* got none either."""
        return max((until - since - control.time_without(since, until) for since, until in self.gaps), default=0.0)

    def time_without(self, since: float, until: float) -> float:
        """Return how many seconds between these two moments were in a gap."""
        return sum(max(0.0, min(until, end) - max(since, begin)) for begin, end in self.gaps)

    def end(self) -> None:
        self._ended.set()

    # The clients, each in a thread of its own.

    def run_persistent(self) -> None:
        host, port = self._address[:2]
        connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        while not self._ended.wait(PACE):
            self._ask(connection)
        connection.close()

    def run_bursts(self) -> None:
        while not self._ended.wait(PACE):
            self._burst()

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        """Ask once, on a new connection only if the last answer said close, or if the last request failed."""
        with self._noting_failure("persistent"):
            if connection.sock is None:
                connection.connect()
            port = connection.sock.getsockname()[1]
            with self._noting_failure("persistent", port):
                connection.request("GET", self._path)
                response = connection.getresponse()
                response.read()
                self._count(response.status, response.getheader("X-Generation"))
                return
        connection.close()

    def _burst(self) -> None:
        with ExitStack() as opened:
            for client in [client for _ in range(BURST) if (client := self._send_fresh(opened))]:
                with self._noting_failure("burst", client.address[1]):
                    response = client.receive_response()
                    self._count(response.status, response.field("X-Generation"))

    def _send_fresh(self, opened: ExitStack) -> RawClient | None:
        """Return a fresh connection with a request on its way, None if that has failed."""
        self._ended.wait(APART)
        with self._noting_failure("burst"):
            client = opened.enter_context(RawClient(self._address, self._timeout))
            with self._noting_failure("burst", client.address[1]):
                client.send(make_request(self._path, "Connection: close"))
                return client
        return None

    @contextmanager
    def _noting_failure(self, kind: str, port: int = 0) -> Iterator[None]:
        """Count what goes wrong on the connection from *port*, 0 if there is none yet."""
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            with self._counted:
                self.failures.append(f"{kind}: {type(error).__name__}: {error}")
                self.ports_lost.append(port)

    def _count(self, status: int, generation: str | None) -> None:
        with self._counted:
            now = time.monotonic()
            if now - self._last_answer > STANDSTILL:
                self.gaps.append((self._last_answer, now))
            self._last_answer = now
            self.answers += 1
            self._note(status, generation)
            self._counted.notify_all()

    def _note(self, status: int, generation: str | None) -> None:
        if status != 200:
            self.failures.append(f"status {status}")
        if generation is not None:
            self.generations_seen.add(int(generation))


@contextmanager
def load(
    server: RunningServer | Proxy, connections: int = 8, bursts: int = 1, path: str = "/", timeout: float = 30.0
) -> Iterator[Load]:
    """Keep *server* under load for the length of the block, which begins once every client is at work."""
    seen = Load(server.address, path, timeout)
    runs = [seen.run_persistent] * connections + [seen.run_bursts] * bursts
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    try:
        seen.wait_for_answers(2 * len(threads))
        yield seen
    finally:
        seen.end()
        for thread in threads:
            thread.join()


class WrkReport(NamedTuple):
    requests: int
    #: Whatever wrk counts as gone wrong: connect, read, write, timeout, status.
    errors: int


def run_wrk(url: str, connections: int, seconds: int) -> WrkReport:
    """Run wrk, and return what it counted."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", url]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    return parse_wrk(printed)


def parse_wrk(printed: str) -> WrkReport:
    requests = re.search(r"(\d+) requests in", printed)
    assert requests, printed
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    counts = (socket_errors.groups() if socket_errors else ()) + (refused.groups() if refused else ())
    return WrkReport(int(requests[1]), sum(map(int, counts)))
