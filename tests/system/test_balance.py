"""Four workers, one listener: nobody has more than a share of the connections."""

import time
from contextlib import ExitStack
from statistics import median

import psutil
import pytest

from tests.support.client import RawClient


def gather(server, count):
    """Open *count* connections that are answered and stay; return what the fullest worker has, in shares."""
    with ExitStack() as opened:
        clients = [opened.enter_context(RawClient(server.address)) for _ in range(count)]
        for client in clients:
            client.ask()
        held = [connections_of(pid, server) for pid in server.workers()]
    wait_until_empty(server)
    assert count == sum(held)
    return max(held) / (count / len(held))


def connections_of(pid, server):
    port = server.address[1]
    held = psutil.Process(pid).net_connections("tcp")
    return sum(each.status == "ESTABLISHED" and each.laddr.port == port for each in held)


def wait_until_empty(server):
    deadline = time.monotonic() + 20
    while any(connections_of(pid, server) for pid in server.workers()) and time.monotonic() < deadline:
        pass


@pytest.mark.parametrize(("count", "share"), [(64, 1.15), (1_000, 1.05)])
def test_the_fullest_worker_has_little_more_than_its_share(start_server, count, share):
    server = start_server("hello", "--workers", "4")

    assert median(gather(server, count) for _ in range(5)) <= share
