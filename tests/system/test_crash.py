"""Processes die. Only the requests inside them are lost."""

import os
import signal
from contextlib import ExitStack

import pytest

from tests.support.client import RawClient, Truncated, ask_together, make_request
from tests.support.load import load
from tests.support.machine import boot_clock, born_at, time_in_line
from tests.support.server import APPS

READY = r"worker \d+ \(pid (\d+)\) is ready"
BOOTED = READY + r" after ([\d.]+) s"


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
        inside = server.freeze_worker(victim)
        os.kill(victim, signal.SIGKILL)
        server.wait_for_log(rf"\(pid {victim}\) was killed by SIGKILL")
        server.wait_for_log(READY, times=5)
        clients.wait_for_answers(50)

        for client, visitor in held:
            if visitor.pid == victim:
                with pytest.raises((Truncated, ConnectionResetError)):
                    client.receive_response()
                visitor.wait_for_loss()
            else:
                visitor.release()
                assert b"passed" == client.receive_response().content

    assert {*clients.ports_lost} <= inside
    assert len(clients.ports_lost) == len(clients.failures)


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


@pytest.mark.parametrize(
    ("path", "function"),
    [("/stuck", "spin"), ("/call", "call"), ("/deadlock", "wait_for_ourselves")],
    ids=["loop", "GIL", "deadlock"],
)
def test_worker_stuck_in_the_application_is_replaced(start_server, path, function):
    """Others never stop serving, and the log says what is to be repaired."""
    server = start_server("stuck", "--timeout", "1", "--workers", "2")

    with load(server, connections=0, bursts=1) as clients, RawClient(server.address) as client:
        began = boot_clock()
        client.send(make_request(path))
        stuck = int(server.wait_for_log(r"^from here on (\d+) does not turn")[1])
        inside = server.connections_of(stuck)
        with pytest.raises((Truncated, ConnectionResetError)):
            client.receive_response()
        clients.wait_for_answers(50)
        ready = server.wait_for_log(BOOTED, times=3)
        replacement, boot = int(ready[1]), float(ready[2])
        lasted = born_at(replacement) - began + boot - time_in_line(replacement)

    # What the stuck one had accepted before.
    assert {*clients.ports_lost} <= inside
    assert len(clients.ports_lost) == len(clients.failures)
    # The timeout, and a second for all else that is done about it.
    assert lasted <= 2.0
    server.wait_for_log(rf"worker \d+ \(pid \d+\) has been stuck for 1\.\d s, since it began GET {path} HTTP/1\.1: ")
    server.wait_for_log(rf"is killed: its hub has been stuck for 1\.\d s at .*stuck\.py line \d+, in {function}\n")
    server.wait_for_log(rf'  File ".*stuck\.py", line \d+ in {function}\n  File ".*stuck\.py", line \d+ in application\n')


def test_worker_that_comes_back_before_it_is_replaced_loses_nothing(start_server, tmp_path):
    server = start_server("slow", "--timeout", "1", "--pythonpath", str(APPS), cwd=tmp_path)

    with RawClient(server.address) as client:
        answer = client.ask("/stuck")

    assert b"fine" == answer.content
    server.wait_for_log("has been stuck for")
    server.wait_for_log(r"worker 1 \(pid \d+\) is back, and leaves: its hub was stuck at .*slow\.py line \d+, in application")
    server.wait_for_log(r"worker 1 \(pid \d+\) has left")


def test_workers_end_when_their_master_was_killed(start_server):
    server = start_server("hello", "--workers", "4")

    code = server.stop(signal.SIGKILL)

    assert -signal.SIGKILL == code
    server.wait_for_end()
