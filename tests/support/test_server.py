"""A test's server must never hide why it failed, and never outlive its test."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.client import RawClient, Truncated
from tests.support.load import Load, load, parse_wrk
from tests.support.server import STAND_IN, RunningServer
from tests.support.transcript import ServerFault

ROOT = Path(__file__).parents[2]

#: A test run that is killed while its server serves.
KILLED_RUN = """
import os, signal
from tests.support.test_server import start_stand_in

print(start_stand_in().pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def start_stand_in(fault="none", timeout=10.0):
    return RunningServer(fault, command=STAND_IN, timeout=timeout)


def test_server_answers_on_the_socket_that_the_test_bound():
    with start_stand_in() as server, RawClient(server.address) as client:
        response = client.ask("/")

    assert (200, b"ok") == (response.status, response.content)


def test_stop_returns_the_exit_code():
    with start_stand_in() as server:
        assert 0 == server.stop(signal.SIGTERM)


def test_server_that_is_never_ready_fails_with_its_log():
    with pytest.raises(ServerFault, match=r"(?s)notification READY: not seen, in 0.5 s.*stand-in with fault: silent"):
        start_stand_in("silent", timeout=0.5)


def test_server_that_dies_at_its_start_fails_at_once_with_its_log():
    with pytest.raises(
        ServerFault, match=r"(?s)notification READY: not seen, and all processes have ended.*stand-in with fault: dies"
    ):
        start_stand_in("dies")


def test_server_that_ignores_the_stop_is_a_failure_and_is_ended():
    server = start_stand_in("deaf", timeout=0.5)

    with pytest.raises(ServerFault, match="has not ended in"), server:
        pass

    assert not psutil.pid_exists(server.pid)


def test_server_that_ends_with_an_error_is_a_failure():
    with pytest.raises(AssertionError, match="ended with exit code 9"), start_stand_in("angry"):
        pass


def test_process_left_behind_is_a_failure_and_is_ended():
    server = start_stand_in("untidy", timeout=2)

    with pytest.raises(ServerFault, match=r"processes were left behind: .*sleep"), server:
        pass

    server.wait_for_end()


def test_server_ends_when_the_test_run_is_killed():
    """Nobody is left then who would stop it."""
    run = subprocess.run([sys.executable, "-c", KILLED_RUN], cwd=ROOT, stdout=subprocess.PIPE, timeout=20, check=False)

    assert -signal.SIGKILL == run.returncode
    assert ends(int(run.stdout), within=10)


def ends(pid, within):
    """Return whether the process ends in so many seconds; it need not be a child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(descriptor):
        return bool(select.select([descriptor], [], [], within)[0])


def test_log_is_waited_for_no_longer_than_its_processes_live():
    with start_stand_in() as server:
        server.stop()

        with pytest.raises(ServerFault, match="words that never come"):
            server.wait_for_log("words that never come")


def test_load_counts_answers_and_generations():
    with start_stand_in() as server, load(server, connections=2, bursts=1) as clients:
        clients.wait_for_answers(20)

    assert [] == clients.failures
    assert {1} == clients.generations_seen


def test_load_counts_every_refusal():
    with start_stand_in() as server, load(server, connections=1, bursts=1, path="/unready") as clients:
        clients.wait_for_answers(5)

    assert {"status 503"} == set(clients.failures)
    assert clients.answers == len(clients.failures)


def test_load_counts_every_connection_dropped_without_an_answer():
    with (
        start_stand_in() as server,
        pytest.raises(AssertionError, match=r"RemoteDisconnected|Truncated"),
        load(server, connections=1, bursts=1, path="/drop", timeout=0.5),
    ):
        pass


def test_answer_cut_short_is_not_an_answer():
    with start_stand_in() as server, RawClient(server.address) as client, pytest.raises(Truncated):
        client.ask("/drop")


def test_errors_of_every_kind_that_wrk_knows_are_counted():
    printed = "  100 requests in 3.0s\n  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"

    assert (100, 15) == parse_wrk(printed)


@pytest.mark.usefixtures("leaves_nothing")
def test_servers_leave_no_descriptor_in_the_test():
    with start_stand_in() as server, RawClient(server.address) as client, contextlib.suppress(Truncated):
        client.ask("/drop")


def test_a_gap_counts_as_far_as_the_control_had_answers_meanwhile():
    clients, control = Load(("127.0.0.1", 1), "/"), Load(("127.0.0.1", 1), "/")

    clients.gaps += [(10.0, 10.5), (20.0, 20.3)]
    control.gaps += [(9.0, 9.5), (9.9, 10.2), (10.4, 11.0)]

    assert 0.3 == pytest.approx(control.time_without(10.0, 10.5))
    assert 0.3 == pytest.approx(clients.find_longest_gap(control))
