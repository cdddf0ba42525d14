"""`python -m bench`: install, run, and write tables and plot."""

import argparse
import contextlib
import datetime
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.database import NoDatabase, find_binaries, run_postgresql
from bench.document import document, draw
from bench.environment import (
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
from bench.match import Cores, Ground, Run, play
from bench.peers import PEERS
from bench.plan import Plan, Progress, describe_time, leave_out
from bench.report import make_boards, show, to_markdown
from bench.results import Played, all_runs, join_circumstances, read_results, write_results
from bench.scenarios import FILE, SCENARIOS, Scenario
from bench.targets import to_markdown as targets_to_markdown

#: The file of all runs in either folder.
RUNS = "results.json"

#: Where results are gathered, and where those go that are no measurement.
RESULTS = ROOT / "artifacts" / "bench"
LOOK = ROOT / "artifacts" / "bench-look"

#: The load average from which on a machine has something else to do.
BUSY = 1.5


def main() -> int:
    options = parse_options()
    scenarios = choose(SCENARIOS, options.scenario) if options.scenario else quick_or_all(options.quick)
    if options.resume:
        scenarios = leave_out(scenarios, read_results(options.output / RUNS))
    peers = choose(PEERS, options.server) if options.server else list(PEERS)
    plan = Plan(leave_out_impossible(scenarios), peers, options.rounds, options.seconds)
    say(f"{len(plan.scenarios)} scenarios: {describe_time(plan.estimate())}.")
    if not options.dry_run:
        run(plan, options)
    return 0


def run(plan: Plan, options: argparse.Namespace) -> None:
    """Play, and write what came out; each scenario is kept as soon as its last round is played."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # In the background of a shell the first would be ignored.
        signal.signal(number, signal.default_int_handler)
    if options.output == LOOK:
        # Each look stands for itself.
        (LOOK / RUNS).unlink(missing_ok=True)
    with TemporaryDirectory(prefix="greenserve-bench-") as folder:
        work = Path(folder)
        try:
            install_programs()
            absent = install(plan.peers, work)
        except Missing as missing:
            sys.exit(str(missing))
        for name, reason in absent.items():
            say(f"{name} is left out: {reason}")
        plan = plan._replace(peers=[peer for peer in plan.peers if peer.name not in absent])
        warn_if_busy()
        progress = Progress(plan, time.monotonic())
        with prepare(plan.scenarios, work) as ground, contextlib.suppress(KeyboardInterrupt):
            for scenario in plan.scenarios:
                runs = list(play_all(scenario, plan, ground))
                keep(scenario, Played(describe_circumstances(plan, scenario, absent), runs), options.output)
                say(progress.tell(time.monotonic()))
    write_tables(options.output)
    if options.document:
        document(options.output / RUNS)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure greenserve and its peers side by side.")
    parser.add_argument("--rounds", type=int, default=7, help="how often each server runs in each scenario [7]")
    parser.add_argument("--seconds", type=int, default=2, help="how long each load lasts [2]")
    parser.add_argument("--scenario", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--server", action="append", metavar="NAME", help="only this one: a look; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one short round of the main scenarios: a look, no measurement")
    parser.add_argument("--resume", action="store_true", help="leave out the scenarios that the results have already")
    parser.add_argument("--dry-run", action="store_true", help="say how long it would take, and end")
    parser.add_argument("--document", action="store_true", help="put the results into docs/explanation/performance.md as well")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where results are gathered [artifacts/bench, a look in artifacts/bench-look]"
    )
    options = parser.parse_args()
    is_look = bool(options.quick or options.server)
    if options.document and is_look:
        parser.error("a look is no measurement: --document goes with neither --quick nor --server")
    if options.quick:
        options.rounds = options.seconds = 1
    options.output = options.output or (LOOK if is_look else RESULTS)
    return options


def choose(known: Sequence[Any], names: Sequence[str]) -> list[Any]:
    if unknown := set(names) - {each.name for each in known}:
        sys.exit(f"{', '.join(sorted(unknown))}: not one of {', '.join(each.name for each in known)}")
    return [each for each in known if each.name in names]


def quick_or_all(quick: bool) -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if scenario.quick or not quick]


@contextlib.contextmanager
def prepare(scenarios: Sequence[Scenario], work: Path) -> Iterator[Ground]:
    """Make what matches need, and leave the server's processor: this process and what it starts are the load."""
    cores = divide_cores()
    os.sched_setaffinity(0, cores.load)
    needed = any(scenario.database for scenario in scenarios)
    with run_postgresql() if needed else contextlib.nullcontext("") as database:
        yield Ground(tools_in(work), work, make_certificate(work), make_file(work, *FILE), database, cores)


def leave_out_impossible(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios that this machine allows."""
    if not any(scenario.database for scenario in scenarios):
        return list(scenarios)
    try:
        find_binaries()
    except NoDatabase as reason:
        say(f"Without a database, scenarios are left out: {reason}")
        return [scenario for scenario in scenarios if not scenario.database]
    return list(scenarios)


def divide_cores() -> Cores:
    """Give the server one processor and the load another; with more than two, the load has the rest."""
    cores = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(cores[:1]), frozenset(cores[1:] or cores))


def play_all(scenario: Scenario, plan: Plan, ground: Ground) -> Iterator[Run]:
    """Play every match. Each round goes once through the servers, so that a noisy moment hits them all."""
    say(f"\n{scenario.name}: {scenario.title} ({scenario.unit})")
    for number, peer in plan.order(scenario):
        run = play(peer, scenario, number, plan.seconds, ground)
        say(f"  {number}  {peer.name:25} {run.fault or show(run.figure)}{run.remark and f' ({run.remark})'}")
        yield run


def warn_if_busy() -> None:
    """Say so if others work on this machine; what install() has compiled counts as such for a while."""
    if (load := os.getloadavg()[0]) > BUSY:
        say(f"The load average is {load:.1f}: this machine is busy, and ratios will scatter.")


def keep(scenario: Scenario, played: Played, folder: Path) -> None:
    """Put the scenario into the results, in place of what they had of it."""
    path = folder / RUNS
    results = {**read_results(path), scenario.name: played}
    write_results(path, {each.name: results[each.name] for each in SCENARIOS if each.name in results})


def describe_circumstances(plan: Plan, scenario: Scenario, absent: dict[str, str]) -> dict[str, Any]:
    versions = installed_versions()
    packages = dict.fromkeys(package.split()[0] for peer in PEERS for package in peer.packages[:1])
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{read_processor()}, {os.cpu_count()} processors, Linux {platform.release()}",
        "Python": platform.python_version(),
        "greenserve": read_commit() or versions.get("greenserve", "not installed"),
        "beside": ", ".join(f"{name} {versions[name]}" for name in packages if name in versions),
        "rounds": f"{plan.rounds_of(scenario)} of {plan.seconds} s",
        "not installed": ", ".join(f"{name} ({reason})" for name, reason in absent.items()) or "none",
        "load average": round(os.getloadavg()[0], 1),
    }


def read_commit() -> str:
    """Return what git calls this checkout; empty if it is none."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def read_processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def write_tables(folder: Path) -> None:
    """Write and print the tables of all that is in the results, and draw the plot."""
    results = read_results(folder / RUNS)
    if not results:
        sys.exit("No scenario was played to its end.")
    runs = all_runs(results)
    boards = make_boards(runs, SCENARIOS)
    table = to_markdown(boards, join_circumstances(results), targets_to_markdown(boards, runs))
    (folder / "table.md").write_text(table, encoding="utf-8")
    draw(folder / RUNS, folder / "plot.png", folder / "plot.svg")
    print(table)
    say(f"Written: results.json, table.md, plot.png and plot.svg in {folder}")


if __name__ == "__main__":
    sys.exit(main())
