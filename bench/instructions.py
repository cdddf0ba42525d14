"""Instructions per request, counted by callgrind: `python -m bench.instructions`.

They do not depend on the clock nor on who else uses the machine, so they can
be compared from one commit to the next. They leave out what the kernel does,
and what a cache misses; CPU time is what decides.

The server is counted from mark to mark, over N requests and over 2 N. The
difference, divided by N, has neither its start nor the marks in it. With
`--top` it is told for each function.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.answers import Address, ask, wait_until_it_answers
from bench.environment import say
from bench.functions import Profile, difference, find_within, read_profile, to_lines
from bench.peers import APPS, COMPILED, FLOOR, HOST, PEERS, PERSISTENT, PLAIN, Peer, Task, Tools
from bench.processes import ServerFault, ServerProcess, find_free_port
from bench.scenarios import BROWSER, CLOSING_REQUEST, make_request

#: Seconds for one answer; valgrind makes everything fifty times slower.
PATIENCE = 60.0

#: Requests before the count: caches fill, and the interpreter specialises what is hot.
WARMING = 600

#: The C function that bench/apps/counted.py enters at /mark.
MARK = "getloadavg"

REQUESTS = {
    "hello": make_request(),
    "browser": make_request("GET", "/a?b=c", *BROWSER),
    "close": CLOSING_REQUEST,
}


def main() -> int:
    options = parse_options()
    tools = Tools(options.bin.absolute(), Path("floor"))
    folder = find_package(tools)
    compiled = any(Path(folder).rglob("*.so"))
    peers = [peer for peer in PEERS if peer.name in options.server] or ([COMPILED, PLAIN] if compiled else [PLAIN])
    try:
        counts = {peer.name: count_all(peer, tools, options.request, options.number, options.access_log) for peer in peers}
    except ServerFault as fault:
        sys.exit(str(fault))
    totals = {server: {name: total_of(each) for name, each in profiles.items()} for server, profiles in counts.items()}
    print(json.dumps(totals, indent=1) if options.json else "\n".join(describe(totals)))
    if options.top:
        print("\n".join(describe_functions(counts, folder, options.top)))
    if not compiled:
        say("The compiled form is not installed.")
    return 0


def parse_options() -> argparse.Namespace:
    known = [peer.name for peer in PEERS if PERSISTENT in peer.abilities and peer is not FLOOR]
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description="Count instructions per request.")
    parser.add_argument(
        "--server", action="append", default=[], choices=known, help="which to count; may be repeated [both forms of greenserve]"
    )
    parser.add_argument("--request", action="append", choices=list(REQUESTS), help="which to send; may be repeated [all]")
    parser.add_argument("--number", type=int, default=500, metavar="N", help="how many, and then twice as many [500]")
    parser.add_argument("--access-log", action="store_true", help="let it write a line for each request")
    parser.add_argument("--top", type=int, metavar="N", help="show the N functions that cost most, and N of greenserve's own")
    parser.add_argument(
        "--bin", type=Path, default=Path(sys.executable).parent, metavar="DIR", help="where the servers are [this environment]"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        parser.error("callgrind is not there. On Debian and Ubuntu: apt-get install valgrind")
    options.request = options.request or list(REQUESTS)
    return options


def find_package(tools: Tools) -> str:
    """Return where the greenserve of that environment is."""
    # Elsewhere, or the checkout would be found first.
    ask_it = [tools.find("python"), "-c", "import greenserve; print(*greenserve.__path__)"]
    return subprocess.run(ask_it, cwd=APPS, capture_output=True, text=True, check=True).stdout.strip()


def total_of(profile: Profile) -> float:
    return sum(cost.own for cost in profile.values())


def describe(totals: dict[str, dict[str, float]]) -> Iterator[str]:
    for server, by_request in totals.items():
        for request, count in by_request.items():
            yield f"{server:25} {request:8} {count:10,.0f} instructions per request"


def describe_functions(counts: dict[str, dict[str, Profile]], folder: str, top: int) -> Iterator[str]:
    for server, by_request in counts.items():
        for request, profile in by_request.items():
            total = total_of(profile)
            yield f"\n{server}, {request}: {total:,.0f} instructions"
            yield from to_lines(profile, total, top)
            if own := find_within(profile, folder):
                yield f"\n{server}, {request}: of these {total_of(own):,.0f} in compiled code of greenserve"
                yield from to_lines(own, total, top)


def count_all(peer: Peer, tools: Tools, requests: Sequence[str], number: int, logged: bool) -> dict[str, Profile]:
    """Return the instructions of one request, by function, for each of *requests*, of one server process."""
    with TemporaryDirectory(prefix="greenserve-bench-") as folder:
        work = Path(folder)
        with start_counted(peer, tools, work, logged) as address:
            for name in requests:
                send_marked(address, REQUESTS[name], number)
        profiles = [read_profile(path) for path in find_marked(work)]
    # For each request: what came before the first mark, N requests, 2 N requests.
    return {name: difference(profiles[3 * i + 2], profiles[3 * i + 1], number) for i, name in enumerate(requests)}


@contextmanager
def start_counted(peer: Peer, tools: Tools, work: Path, logged: bool) -> Iterator[Address]:
    """Run the server under callgrind, which writes a total into *work* at each mark."""
    task = Task("counted", find_free_port(), access_log=str(work / "access") if logged else "")
    callgrind = ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes", f"--dump-before={MARK}"]
    command = [*callgrind, f"--callgrind-out-file={work}/totals.%p", *peer.command(tools, task)]
    # The order of dictionaries and sets is the same in every run.
    environ = {"PYTHONPATH": str(APPS), "PYTHONHASHSEED": "0", **peer.environ}
    address = Address(HOST, task.port)
    with (work / "log").open("wb") as log, ServerProcess(command, all_cores(), log, APPS, environ) as server:
        wait_until_it_answers(server, address, make_request())
        yield address


def send_marked(address: Address, request: bytes, number: int) -> None:
    """Send marks with N and 2 N requests between them, all on one connection if that outlives its answers."""
    length = ask(address, request).length
    ask_often = ask_apart if request is CLOSING_REQUEST else ask_in_a_row
    for requests in (WARMING, number, 2 * number):
        ask_often(address, request, length, requests)
        ask_in_a_row(address, make_request("GET", "/mark"), ask(address, make_request()).length, 1)


def ask_in_a_row(address: Address, request: bytes, length: int, times: int) -> None:
    with address.connect(PATIENCE) as connection:
        for _ in range(times):
            ask_once(connection, request, length)


def ask_apart(address: Address, request: bytes, length: int, times: int) -> None:
    """Send each request on a connection of its own."""
    for _ in range(times):
        with address.connect(PATIENCE) as connection:
            ask_once(connection, request, length)


def ask_once(connection: socket.socket, request: bytes, length: int) -> None:
    """Send a request, and return when the *length* bytes of its answer are there."""
    connection.sendall(request)
    received = 0
    while received < length:
        data = connection.recv(65536)
        if not data:
            raise ServerFault("closed the connection while its instructions were counted")
        received += len(data)


def find_marked(work: Path) -> list[Path]:
    """Return what callgrind has written from each mark to the next, in their order."""
    marked = [path for path in work.glob("totals.*") if f"Trigger: --dump-before={MARK}" in path.read_text(errors="replace")]
    return sorted(marked, key=lambda path: int(path.suffix[1:]))


def all_cores() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())
