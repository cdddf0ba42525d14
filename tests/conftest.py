"""Fixtures for every part: services, servers, and the check that nothing is left."""

import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.authority import Authority
from tests.support.gate import Gate
from tests.support.server import RunningServer

pytest_plugins = ["tests.support.forms", "tests.support.services", "tests.support.machine", "tests.support.bench"]


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


@pytest.fixture
def leaves_nothing() -> Iterator[None]:
    """Fail a test that leaves a greenlet or a descriptor behind in this process."""
    warm_up_hub()
    before = living_greenlets(), open_descriptors()

    yield

    assert [] == [greenlet for greenlet in living_greenlets() if greenlet not in before[0]]
    assert {} == {fd: name for fd, name in open_descriptors().items() if before[1].get(fd) != name}


def warm_up_hub() -> None:
    """Make what a hub makes once and keeps, so that no test is blamed for it."""
    gevent = sys.modules.get("gevent")
    if gevent is not None:
        gevent.sleep(0)


def living_greenlets() -> list[Any]:
    """Return the greenlets that have begun and not ended."""
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return []
    gc.collect()
    # By type, since asking a weak proxy for its class asks what it stands for, which may be gone.
    return [found for found in gc.get_objects() if issubclass(type(found), greenlet.greenlet) and found]


def open_descriptors() -> dict[int, str]:
    """Return each open descriptor with what it stands for."""
    return {int(fd): name for fd in os.listdir("/proc/self/fd") if (name := read_descriptor(fd))}


def read_descriptor(fd: str) -> str:
    """Return what *fd* stands for; empty for the one that listed the directory and is gone."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:
        return ""
