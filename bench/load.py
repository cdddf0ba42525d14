"""Load that wrk makes: the same request on many connections for some seconds.

The processor time of the server is read right before and right after, and
divided by the answers that came.
"""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.answers import Address, Answer
from bench.processes import ServerFault, ServerProcess

REPLAY = Path(__file__).with_name("replay.lua")

#: Seconds that a server is warmed up.
WARMING = 1

#: The share of a processor below which a server does nothing, and seconds in which it has done nothing.
#: No wait for it is longer than the last.
QUIET = 0.1
PAUSE = 0.05
SETTLING = 10.0

#: Seconds after which an answer counts as missing.
TIMEOUT = 30

#: How far the bytes that came may be from what the answers weigh: fields vary, and so does framing.
TOLERANCE = 0.02

#: What may have gone wrong, in the words of replay.lua.
FAULTS = frozenset({"unconnected", "unread", "unsent", "refused", "late"})


class Outcome(NamedTuple):
    """What one load showed. The figure is what the scenario is about, in its unit."""

    figure: float
    rate: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    #: How many answers came.
    answers: float = 0


class Visit(NamedTuple):
    """A server that is up and has answered rightly, and the request that it is asked."""

    server: ServerProcess
    address: Address
    request: bytes
    answer: Answer
    #: How many requests the bytes of `request` are.
    depth: int
    seconds: int
    #: Whether each answer is the last of its connection.
    closing: bool = False


class Start(NamedTuple):
    """Milliseconds from the command to the first answer. There is no load."""

    def lasts(self, seconds: int) -> float:
        return 0

    def apply(self, visit: Visit) -> Outcome:
        assert visit.server.started_in
        return Outcome(visit.server.started_in * 1000)


class Wrk(NamedTuple):
    """CPU microseconds per request, under *connections* that ask without a pause."""

    connections: int = 64
    #: For those that need longer until all are answered.
    least_seconds: int = 1
    #: How many warm the server up, where what they leave behind would keep it busy for long.
    warming: int | None = None

    def lasts(self, seconds: int) -> float:
        return WARMING + max(seconds, self.least_seconds)

    def apply(self, visit: Visit) -> Outcome:
        self._run(visit, self.warming or self.connections, WARMING)
        # What it was still asked then is not to be paid for now.
        wait_until_quiet(visit.server)
        before = visit.server.cpu_seconds()
        report = self._run(visit, self.connections, max(visit.seconds, self.least_seconds))
        used = visit.server.cpu_seconds() - before
        completed = count_answers(report, visit, self.connections * visit.depth)
        # wrk knows how long an answer took only if it can tell it from the next.
        is_blind = visit.answer.until_close or visit.depth > 1
        waits = (None, None) if is_blind else (report["p50_ms"], report["p99_ms"])
        return Outcome(used / completed * 1e6, completed / report["seconds"], *waits, completed)

    def _run(self, visit: Visit, connections: int, seconds: int) -> dict[str, float]:
        with tempfile.NamedTemporaryFile() as request:
            request.write(visit.request)
            request.flush()
            return run_wrk(visit.address.url, connections, seconds, request.name)


def wait_until_quiet(server: ServerProcess, pause: float = PAUSE) -> None:
    """Wait until the server has done nothing for *pause* seconds."""
    deadline = time.monotonic() + SETTLING
    before, used = -SETTLING, server.cpu_seconds()
    while used - before > QUIET * pause and time.monotonic() < deadline:
        time.sleep(pause)
        before, used = used, server.cpu_seconds()


def run_wrk(url: str, connections: int, seconds: int, request: str) -> dict[str, float]:
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", f"{TIMEOUT}s", "--script", str(REPLAY), url, "--", request]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerFault(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    report: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def count_answers(report: dict[str, float], visit: Visit, under_way: int) -> float:
    """Return how many answers came, a part counted as a part; raises ServerFault if some were wrong or missing."""
    # To wrk the end of a connection comes too early, unless the answer has announced it.
    expected = {"unread"} if visit.closing or visit.answer.until_close else set()
    if errors := {name: int(report[name]) for name in sorted(FAULTS - expected) if report[name]}:
        raise ServerFault("errors under load: " + ", ".join(f"{count} {name}" for name, count in errors.items()))
    if not report["bytes"]:
        raise ServerFault("no answer under load")
    completed = report["bytes"] / visit.answer.length
    requests = report["unread"] if visit.answer.until_close else report["requests"]
    if not requests * (1 - TOLERANCE) <= completed <= (requests + under_way) * (1 + TOLERANCE):
        weight = report["bytes"] / max(requests, 1)
        raise ServerFault(f"answers of {weight:.0f} bytes under load, and of {visit.answer.length} without")
    return completed
