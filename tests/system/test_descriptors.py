"""A worker that has run out of descriptors rests, lets idle connections go, and comes back."""

import resource
import threading
from contextlib import ExitStack

import psutil
import pytest

from tests.support.client import RawClient

#: Few enough to run out of; a worker alone has about a dozen.
DESCRIPTORS = 64

#: How long a resting worker is watched, in seconds.
SPAN = 1.0


@pytest.fixture
def few_descriptors():
    """Let processes started meanwhile have only DESCRIPTORS, and no right to more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def restrict(pid):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))

    yield restrict
    assert limits == resource.getrlimit(resource.RLIMIT_NOFILE)


@pytest.mark.security("accept errors (EMFILE) back off without spin")
def test_new_clients_are_served_when_idle_ones_hold_all_descriptors(start_server, few_descriptors):
    server = start_server("hello")
    worker = psutil.Process(server.workers()[0])
    few_descriptors(worker.pid)

    with ExitStack() as opened:
        for _ in range(3 * DESCRIPTORS):
            client = opened.enter_context(RawClient(server.address))
            assert 200 == client.ask().status

        assert worker.num_fds() <= DESCRIPTORS
        server.wait_for_log("no connection can be accepted")


@pytest.mark.security("accept errors (EMFILE) back off without spin")
def test_waiting_for_descriptors_costs_nothing_and_ends_by_itself(start_server, few_descriptors):
    """Connections with a request cannot be let go: who waits in the queue is served when one of them ends."""
    server = start_server("echo")
    worker = psutil.Process(server.workers()[0])
    few_descriptors(worker.pid)

    with ExitStack() as opened:
        clients = [opened.enter_context(RawClient(server.address)) for _ in range(DESCRIPTORS)]
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\n")
        server.wait_for_log("no connection can be accepted")
        spent = cpu_spent_in(SPAN, worker)
        for client in clients:
            client.send(b"x")
        answers = [client.receive_response().status for client in clients]

    assert [200] * DESCRIPTORS == answers
    assert spent < SPAN / 4


def cpu_spent_in(seconds, process):
    before = sum(process.cpu_times()[:2])
    threading.Event().wait(seconds)
    return sum(process.cpu_times()[:2]) - before
