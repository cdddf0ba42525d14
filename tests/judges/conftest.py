"""Programs that others wrote, served as they are, and asked by the clients that others wrote for them."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.server import RunningServer

#: The few lines that a program asks its user to write.
PROGRAMS = Path(__file__).parent / "programs"

#: Seconds that a client may take; a passing test never waits for it.
DEADLINE = 60.0

Serve = Callable[..., RunningServer]


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Serve a program with two workers, for all tests of a module.

    They fail if the log has a complaint in the end, unless the program was
    meant to make it: it matches *expected*.
    """
    with ExitStack() as started:
        served: list[tuple[RunningServer, str]] = []

        def start(*arguments: str, env: Mapping[str, str] | None = None, workers: int = 2, expected: str = "$^") -> RunningServer:
            server = RunningServer("--workers", str(workers), *arguments, cwd=PROGRAMS, env=env)
            served.append((server, expected))
            return started.enter_context(server)

        yield start

    assert [] == [line for server, expected in served for line in find_complaints(server.log) if not re.search(expected, line)]


def find_complaints(log: str) -> list[str]:
    """Return what the server said is wrong, with the program or with a client; what programs write themselves is theirs."""
    return re.findall(r"^\[[^]]+\] \[\d+\] \[(?:ERROR|WARNING|CRITICAL)\] .*$|^.* was refused with .*$", log, re.MULTILINE)


def require(*modules: str) -> None:
    """Skip the tests of a module where one of the packages it needs is not installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (pip install greenserve[judges])", allow_module_level=True)


def run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> str:
    """Run a client, and return what it printed; a client that fails shows all it said."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, input=stdin, capture_output=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, f"{command!r} ended with {done.returncode}:\n{(done.stdout + done.stderr).decode()}"
    return done.stdout.decode()
