"""Processes die. Only the requests inside them are lost."""

import os
import signal
import time
from contextlib import ExitStack

import pytest

from tests.support.client import RawClient, Truncated, ask_together, make_request
from tests.support.load import BURST, load


def hold_requests(server, gate, count, opened):
    """Return *count* pairs of a client and the visitor its request became, none of them answered."""
    pairs = []
    for _ in range(count):
        client = opened.enter_context(RawClient(server.address))
        client.send(make_request())
        pairs.append((client, gate.admit()))
    return pairs


def test_killed_worker_loses_only_the_requests_inside_it(start_server, gate):
    server = start_server("gated", "--workers", "4", env=gate.environ)

    with ExitStack() as opened, load(server, connections=0, bursts=1, path="/quick") as clients:
        held = hold_requests(server, gate, 12, opened)
        victim = held[0][1].pid
        os.kill(victim, signal.SIGKILL)
        server.wait_for_log(rf"\(pid {victim}\) was killed by SIGKILL")
        server.wait_for_log(r"worker \d+ \(pid \d+\) is ready", times=5)
        clients.wait_for_answers(50)

        for client, visitor in held:
            if visitor.pid == victim:
                with pytest.raises((Truncated, ConnectionResetError)):
                    client.receive_response()
                visitor.wait_for_loss()
            else:
                visitor.release()
                assert b"passed" == client.receive_response().content

    # One burst may have been on its way through the worker when it died.
    assert len(clients.failures) <= BURST, clients.failures


def test_crashed_worker_is_replaced(start_server):
    server = start_server("crashing")

    for life in (2, 3):
        with RawClient(server.address) as client, pytest.raises((Truncated, ConnectionResetError)):
            client.ask("/crash")
        server.wait_for_log(r"worker \d+ \(pid \d+\) is ready", times=life)

    with RawClient(server.address) as client:
        assert b"alive" == client.ask().content


def test_requests_wait_while_their_only_worker_is_replaced(start_server):
    """The master holds the listener, so a connection made in between is accepted by the next worker."""
    server = start_server("crashing")
    (worker,) = server.workers()

    os.kill(worker, signal.SIGKILL)
    responses = ask_together(server.address, "/", 20)

    assert [b"alive"] * 20 == [response.content for response in responses]


def test_worker_stuck_in_the_application_is_replaced(start_server):
    server = start_server("stuck", "--timeout", "1")
    began = time.monotonic()

    with RawClient(server.address) as client, pytest.raises((Truncated, ConnectionResetError)):
        client.ask("/stuck")

    assert time.monotonic() - began < 10
    with RawClient(server.address) as client:
        assert b"fine" == client.ask().content


def test_workers_end_when_their_master_was_killed(start_server):
    server = start_server("hello", "--workers", "4")

    code = server.stop(signal.SIGKILL)

    assert -signal.SIGKILL == code
    server.wait_for_end()
