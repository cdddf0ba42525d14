"""Fixtures for every part: services and servers."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.authority import Authority
from tests.support.gate import Gate
from tests.support.server import RunningServer

pytest_plugins = [
    "tests.support.forms",
    "tests.support.services",
    "tests.support.machine",
    "tests.support.bench",
    "tests.support.remains",
]


@pytest.fixture
def start_server() -> Iterator[Callable[..., RunningServer]]:
    """Start servers that are stopped with the test; it fails if one of them leaves a process or a port behind."""
    with ExitStack() as started:
        yield lambda *arguments, **options: started.enter_context(RunningServer(*arguments, **options))


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that nobody else is given, and that a server may yet bind, since the one who holds it does not listen."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate inside the application `gated`."""
    with Gate() as gate:
        yield gate


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that no one trusts but the tests."""
    return Authority(tmp_path_factory.mktemp("authority"))
