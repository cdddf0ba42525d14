"""One server in one scenario, once: start, look at the answer, load, look again, stop."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from bench.answers import Address, ask, wait_until_it_answers
from bench.load import Outcome, Visit
from bench.peers import APPS, HOST, Certificate, Peer, Task, Tools
from bench.processes import ServerFault, ServerProcess, find_free_port
from bench.scenarios import Scenario


class Cores(NamedTuple):
    """Which processors are the server's; the load has others."""

    server: frozenset[int]
    load: frozenset[int]


class Ground(NamedTuple):
    """What all matches share."""

    tools: Tools
    work: Path
    certificate: Certificate
    file: Path
    #: The URL of PostgreSQL; empty if no scenario needs it.
    database: str
    cores: Cores


class Run(NamedTuple):
    """What one match showed; with a fault it does not count."""

    scenario: str
    server: str
    round: int
    fault: str = ""
    figure: float | None = None
    rate: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    memory_mib: float | None = None
    #: What a reader of the figure should know.
    remark: str = ""


class Finding(NamedTuple):
    """What was found while the server ran."""

    outcome: Outcome
    memory_mib: float
    remark: str


def play(peer: Peer, scenario: Scenario, number: int, seconds: int, ground: Ground) -> Run:
    """Run *peer* through *scenario*; whatever goes wrong with it becomes the fault of the run."""
    try:
        with tempfile.TemporaryDirectory(dir=ground.work) as folder:
            found = play_in(Path(folder), peer, scenario, seconds, ground)
    except ServerFault as fault:
        return Run(scenario.name, peer.name, number, str(fault))
    figure, rate, p50_ms, p99_ms, _ = found.outcome
    return Run(scenario.name, peer.name, number, "", figure, rate, p50_ms, p99_ms, found.memory_mib, found.remark)


def play_in(folder: Path, peer: Peer, scenario: Scenario, seconds: int, ground: Ground) -> Finding:
    """Play with all that the server writes in *folder*; raises ServerFault."""
    task = make_task(scenario, folder, ground)
    environ = {**make_environ(task, folder, ground), **peer.environ}
    log = folder / "log"
    with log.open("wb") as output:
        command = peer.command(ground.tools, task)
        with ServerProcess(command, ground.cores.server, output, APPS, environ) as server:
            found = measure(server, task, scenario, seconds)
    if task.access_log:
        check_each_is_logged(found.outcome.answers, log, Path(task.access_log))
    return found


def make_task(scenario: Scenario, folder: Path, ground: Ground) -> Task:
    return Task(
        scenario.module,
        find_free_port(),
        scenario.workers,
        str(folder / "access.log") if scenario.name == "access-log" else "",
        ground.certificate if scenario.name == "tls" else None,
        scenario.closing,
        scenario.threads,
    )


def make_environ(task: Task, folder: Path, ground: Ground) -> dict[str, str]:
    return {
        "PYTHONPATH": str(APPS),
        "BENCH_FILE": str(ground.file),
        "BENCH_DATABASE": ground.database,
        "BENCH_ACCESS_LOG": task.access_log,
        "BENCH_THREADS": str(task.threads if task.waits else 4),
        "BENCH_COUNTS": str(folder / "counts"),
    }


def check_each_is_logged(answers: float, *logs: Path) -> None:
    """Raise ServerFault if there are fewer lines than answers. Some write them among all that they say."""
    lines = sum(path.read_bytes().count(b"GET /") for path in logs if path.exists())
    if lines < answers:
        raise ServerFault(f"wrote {lines:,} lines for {answers:,.0f} answers into the access log")


def measure(server: ServerProcess, task: Task, scenario: Scenario, seconds: int) -> Finding:
    """Return what the load showed, and the MiB that the server occupied after it."""
    address = Address(HOST, task.port, task.certificate is not None)
    wait_until_it_answers(server, address, scenario.request)
    remark = scenario.check(address)
    visit = make_visit(server, address, scenario, seconds)
    if not (visit.answer.persistent or scenario.closing):
        remark = "closes the connection after each answer"
    outcome = scenario.load.apply(visit)
    memory = server.memory_kib() / 1024
    make_visit(server, address, scenario, seconds)
    return Finding(outcome, memory, remark)


def make_visit(server: ServerProcess, address: Address, scenario: Scenario, seconds: int) -> Visit:
    """Return what a load needs to know; raises ServerFault unless the server answers as expected."""
    answer = ask(address, scenario.request)
    if scenario.expected:
        scenario.expected.check(answer)
    return Visit(server, address, scenario.request * scenario.depth, answer, scenario.depth, seconds, scenario.closing)
