"""No request is dropped on purpose, whatever becomes of the workers. Each test counts what clients received."""

import os
import re
import signal
import time
from contextlib import ExitStack

import pytest

from tests.support.client import RawClient, make_request
from tests.support.load import BURST, load
from tests.support.machine import boot_clock, born_at, time_in_line

READY = r"worker \d+ \(pid (\d+)\) is ready"
BOOTED = READY + r" after ([\d.]+) s"
LEFT = r"worker \d+ \(pid \d+\) has left"

#: Seconds without an answer to anybody.
GAP = 0.25

#: Seconds from the last answer to the end of the server.
END = 0.2


@pytest.fixture
def fault_file(tmp_path):
    path = tmp_path / "fault"
    path.write_text("")
    return path


def test_reloads_and_resizes_of_an_application_that_is_slow_to_import(start_server, control):
    server = start_server("lazy", "--workers", "2", env={"IMPORT_SECONDS": "1"})

    with load(server, connections=4, bursts=1) as clients:
        for generation in (2, 3, 4):
            server.signal(signal.SIGHUP)
            server.wait_for_generation(generation)
        server.signal(signal.SIGTTIN)
        server.wait_for_log(READY, times=9)
        server.signal(signal.SIGTTOU)
        server.wait_for_log(LEFT, times=7)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert clients.find_longest_gap(control) <= GAP


def test_stop_with_two_hundred_requests_in_flight(start_server, control):
    """Clients still arrive until the load balancer has noticed; the server ends when the last one has its answer."""
    server = start_server("lazy", "--workers", "2", "--drain-delay", "1", env={"SLOW_SECONDS": "3"})

    with ExitStack() as opened:
        clients = [opened.enter_context(RawClient(server.address)) for _ in range(200)]
        for client in clients:
            client.send(make_request("/slow"))
        with load(server, connections=2, bursts=1) as late:
            server.signal(signal.SIGTERM)
            server.wait_for_notification("STOPPING")
            late.wait_for_answers(20)
        answers = [client.receive_response().content for client in clients]
        answered = time.monotonic()
    code = server.wait()
    ended = time.monotonic()

    assert [] == late.failures
    assert [b"done"] * 200 == answers
    assert 0 == code
    assert ended - answered - control.time_without(answered, ended) <= END


def test_a_worker_killed_every_second_loses_only_what_is_inside_it(start_server):
    """What waits in the listener's queue is inside nobody, and is not lost; nor is anybody's connection refused."""
    server = start_server("lazy", "--workers", "4")
    held, replaced_after = set(), []

    with load(server, connections=4, bursts=1) as clients:
        started = time.monotonic()
        for number in range(1, 6):
            clients.wait_until(started + number)
            victim = server.workers()[0]
            held |= server.freeze_worker(victim)
            killed_at = boot_clock()
            os.kill(victim, signal.SIGKILL)
            ready = server.wait_for_log(BOOTED, times=4 + number)
            replacement, boot = int(ready[1]), float(ready[2])
            replaced_after.append(born_at(replacement) - killed_at + boot - time_in_line(replacement))
        clients.wait_for_answers(50)

    assert {*clients.ports_lost} <= held
    assert len(clients.ports_lost) == len(clients.failures)
    assert max(replaced_after) < 1.0
    assert 5 == len(re.findall(r"was killed by SIGKILL; the kernel's out-of-memory killer is likely", server.log))


def test_code_that_crashes_in_its_first_request_never_replaces_code_that_works(start_server, fault_file):
    server = start_server("lazy", "--workers", "2", env={"FAULT": str(fault_file)})
    before = server.workers()

    with load(server, connections=0, bursts=1) as clients:
        fault_file.write_text("crash")
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 crashed soon after it started, generation 1 goes on")
        clients.wait_for_answers(50)

    assert {*before} <= {*server.workers()}
    assert "exited with code 11" in server.log
    # What was inside the three that crashed.
    assert len(clients.failures) <= 3 * BURST, clients.failures


def test_a_canary_that_crashes_is_the_only_worker_with_new_code(start_server, fault_file):
    server = start_server("lazy", "--workers", "2", "--canary", "5", env={"FAULT": str(fault_file)})

    with load(server, connections=0, bursts=1) as clients:
        fault_file.write_text("crash")
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 crashed soon after it started, generation 1 goes on")
        clients.wait_for_answers(50)

    assert 3 == len(re.findall(READY, server.log))
    assert len(clients.failures) <= BURST, clients.failures


def test_a_canary_that_answers_with_errors_is_rolled_back(start_server, fault_file):
    server = start_server("lazy", "--workers", "2", "--canary", "2", env={"FAULT": str(fault_file)})
    before = server.workers()

    with load(server, connections=0, bursts=1) as clients:
        fault_file.write_text("error")
        server.signal(signal.SIGHUP)
        server.wait_for_log(r"generation 2 answered (\d+) of \1 requests with errors, generation 1 goes on")
        server.wait_for_log(LEFT)
        seen = len(clients.failures)
        clients.wait_for_answers(50)

    assert {"status 500"} == {*clients.failures}
    assert seen == len(clients.failures)
    assert before == server.workers()


def test_workers_of_a_master_that_was_killed_finish_what_they_have(start_server):
    """The server's fixture sees that they end and that the port is free."""
    server = start_server("lazy", "--workers", "2", env={"SLOW_SECONDS": "2"})

    with ExitStack() as opened:
        clients = [opened.enter_context(RawClient(server.address)) for _ in range(20)]
        for client in clients:
            client.send(make_request("/slow"))
        server.stop(signal.SIGKILL)
        server.wait_for_log("the master is gone", times=2)
        answers = [client.receive_response().content for client in clients]

    assert [b"done"] * 20 == answers
    server.wait_for_end()


def test_workers_that_end_soon_after_boot_are_no_fork_storm(start_server, fault_file):
    fault_file.write_text("exit")
    server = start_server("lazy", env={"FAULT": str(fault_file)})
    began = time.monotonic()

    server.wait_for_log(READY, times=5)

    # Half a second, one second, two seconds are between them.
    assert time.monotonic() - began > 3.5
    assert 1 == server.log.count("workers die soon after they start")
    assert "exited with code 7" in server.log
