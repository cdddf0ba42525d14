"""`python -m bench`: install, run, and write table and plot."""

import argparse
import contextlib
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.database import NoDatabase, find_binaries, run_postgresql
from bench.environment import (
    BIN,
    ROOT,
    Missing,
    install,
    install_programs,
    installed_versions,
    make_certificate,
    make_file,
    say,
    tools_in,
)
from bench.match import Cores, Ground, Run, is_able, play
from bench.peers import PEERS, Peer
from bench.report import make_boards, show, to_json, to_markdown
from bench.scenarios import FILE, SCENARIOS, Scenario

RESULTS = ROOT / "artifacts" / "bench"


def main() -> int:
    options = parse_options()
    scenarios = choose(SCENARIOS, options.scenario) if options.scenario else quick_or_all(options.quick)
    peers = choose(PEERS, options.server) if options.server else list(PEERS)
    try:
        install_programs()
    except Missing as missing:
        sys.exit(str(missing))
    with TemporaryDirectory(prefix="greenserve-bench-") as folder:
        work = Path(folder)
        absent = install(peers, work)
        for name, reason in absent.items():
            say(f"{name} is left out: {reason}")
        peers = [peer for peer in peers if peer.name not in absent]
        scenarios = leave_out_impossible(scenarios)
        with prepare(scenarios, work) as ground:
            runs = play_until_stopped(play_all(scenarios, peers, options, ground))
    write_results(runs, scenarios, describe_circumstances(options, absent), options.output)
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure greenserve and its peers side by side.")
    parser.add_argument("--rounds", type=int, default=7, help="how often each server runs in each scenario [7]")
    parser.add_argument("--seconds", type=int, default=3, help="how long each load lasts [3]")
    parser.add_argument("--scenario", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--server", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one short round of the main scenarios: a look, no measurement")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="where table and plot go [artifacts/bench]")
    options = parser.parse_args()
    if options.quick:
        options.rounds = options.seconds = 1
    return options


def choose(known: Sequence[Any], names: Sequence[str]) -> list[Any]:
    if unknown := set(names) - {each.name for each in known}:
        sys.exit(f"{', '.join(sorted(unknown))}: not one of {', '.join(each.name for each in known)}")
    return [each for each in known if each.name in names]


def quick_or_all(quick: bool) -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if scenario.quick or not quick]


def play_until_stopped(matches: Iterator[Run]) -> list[Run]:
    """Return the runs of all matches, or of those that were played when somebody pressed Ctrl-C."""
    runs: list[Run] = []
    with contextlib.suppress(KeyboardInterrupt):
        runs.extend(matches)
    return runs


@contextlib.contextmanager
def prepare(scenarios: Sequence[Scenario], work: Path) -> Iterator[Ground]:
    """Make what matches need, and leave the server's processor: this process and what it starts are the load."""
    cores = divide_cores()
    os.sched_setaffinity(0, cores.load)
    needed = any(scenario.database for scenario in scenarios)
    with run_postgresql() if needed else contextlib.nullcontext("") as database:
        yield Ground(tools_in(work), work, make_certificate(work), make_file(work, *FILE), database, cores)


def leave_out_impossible(scenarios: list[Scenario]) -> list[Scenario]:
    """Return the scenarios that this machine allows."""
    try:
        find_binaries()
    except NoDatabase as reason:
        say(f"Without a database, scenarios are left out: {reason}")
        return [scenario for scenario in scenarios if not scenario.database]
    return scenarios


def divide_cores() -> Cores:
    """Give the server one processor and the load another; with more than two, the load has the rest."""
    cores = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(cores[:1]), frozenset(cores[1:] or cores))


def play_all(scenarios: Sequence[Scenario], peers: Sequence[Peer], options: argparse.Namespace, ground: Ground) -> Iterator[Run]:
    """Play every match. Each round goes once through the servers, so that a noisy moment hits them all."""
    for scenario in scenarios:
        say(f"\n{scenario.title} ({scenario.unit})")
        for number in range(1, options.rounds + 1):
            for peer in peers:
                if is_able(peer, scenario):
                    run = play(peer, scenario, number, options.seconds, ground)
                    say(f"  {number}  {peer.name:25} {run.fault or show(run.figure)}")
                    yield run


def describe_circumstances(options: argparse.Namespace, absent: dict[str, str]) -> dict[str, Any]:
    versions = installed_versions()
    names = dict.fromkeys(package.split()[0] for peer in PEERS for package in peer.packages[:1])
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{read_processor()}, {os.cpu_count()} processors, Linux {platform.release()}",
        "Python": platform.python_version(),
        "rounds": f"{options.rounds} of {options.seconds} s, interleaved; medians",
        "versions": ", ".join(f"{name} {versions[name]}" for name in ("greenserve", *names) if name in versions),
        "left out": ", ".join(f"{name} ({reason})" for name, reason in absent.items()) or "none",
        "load average at the end": f"{os.getloadavg()[0]:.1f}",
    }


def read_processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def write_results(runs: Sequence[Run], scenarios: Sequence[Scenario], circumstances: dict[str, Any], folder: Path) -> None:
    boards = make_boards(runs, scenarios)
    table = to_markdown(boards, circumstances)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(table, encoding="utf-8")
    (folder / "results.json").write_text(to_json(boards, runs, circumstances), encoding="utf-8")
    subprocess.run([BIN / "python", "-m", "bench.plot", (folder / "results.json").absolute()], cwd=ROOT, check=True)
    print(table)
    say(f"Written: table.md, results.json, plot.png and plot.svg in {folder}")


if __name__ == "__main__":
    sys.exit(main())
