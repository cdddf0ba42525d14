"""One server in one scenario, once: start, look at the answer, load, look again, stop."""

from pathlib import Path
from typing import NamedTuple

from bench.answers import Address, ask, wait_until_it_answers
from bench.load import Outcome, Visit
from bench.peers import APPS, FLOOR, HOST, Certificate, Peer, Task, Tools
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


def is_able(peer: Peer, scenario: Scenario) -> bool:
    return scenario.needs <= peer.abilities and (scenario.floor or peer is not FLOOR)


def play(peer: Peer, scenario: Scenario, number: int, seconds: int, ground: Ground) -> Run:
    """Run *peer* through *scenario*; whatever goes wrong with it becomes the fault of the run."""
    log = ground.work / f"{scenario.name}-{peer.name}.log".replace(" ", "-")
    try:
        with log.open("wb") as output:
            task = make_task(scenario, ground)
            command = peer.command(ground.tools, task)
            environ = {**make_environ(task, ground), **peer.environ}
            with ServerProcess(command, ground.cores.server, output, APPS, environ) as server:
                outcome, memory = measure(server, task, scenario, seconds)
    except ServerFault as fault:
        return Run(scenario.name, peer.name, number, str(fault))
    return Run(scenario.name, peer.name, number, "", *outcome, memory)


def make_task(scenario: Scenario, ground: Ground) -> Task:
    return Task(
        scenario.module,
        find_free_port(),
        scenario.workers,
        str(ground.work / "access.log") if scenario.name == "access-log" else "",
        ground.certificate if scenario.name == "tls" else None,
        scenario.closing,
    )


def make_environ(task: Task, ground: Ground) -> dict[str, str]:
    return {
        "PYTHONPATH": str(APPS),
        "BENCH_FILE": str(ground.file),
        "BENCH_DATABASE": ground.database,
        "BENCH_ACCESS_LOG": task.access_log,
    }


def measure(server: ServerProcess, task: Task, scenario: Scenario, seconds: int) -> tuple[Outcome, float]:
    """Return what the load showed, and the MiB that the server occupied after it."""
    address = Address(HOST, task.port, task.certificate is not None)
    wait_until_it_answers(server, address, scenario.request)
    scenario.check(address)
    visit = make_visit(server, address, scenario, seconds)
    outcome = scenario.load.apply(visit)
    memory = server.memory_kib() / 1024
    make_visit(server, address, scenario, seconds)
    return outcome, memory


def make_visit(server: ServerProcess, address: Address, scenario: Scenario, seconds: int) -> Visit:
    """Return what a load needs to know; raises ServerFault unless the server answers as expected."""
    answer = ask(address, scenario.request)
    if scenario.expected:
        scenario.expected.check(answer)
    return Visit(server, address, scenario.request * scenario.depth, answer, scenario.depth, seconds, scenario.closing)
