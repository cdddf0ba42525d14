"""Whatever is done to the fleet, every request is answered, and somebody is answered all the time.

The application takes three seconds to import, as large ones do, so this takes
two minutes. Each change is made under load of persistent and fresh connections;
the numbers are those promised.
"""

import os
import signal
from contextlib import ExitStack

import pytest

from tests.support.load import load

IMPORT_SECONDS = "3"

#: Seconds without an answer to anybody.
GAP = 0.25

READY = r"worker \d+ \(pid \d+\) is ready"
LEFT = r"worker \d+ \(pid \d+\) has left"
BECOMES = r"pid (\d+) is to be the new master"


@pytest.fixture
def start_slow_import(start_server):
    def start(*options, workers=2):
        return start_server("lazy", "--workers", str(workers), *options, env={"IMPORT_SECONDS": IMPORT_SECONDS})

    return start


def load_of_all_kinds(server):
    return load(server, connections=2, bursts=1)


def assert_unnoticed(clients, control):
    assert [] == clients.failures
    assert clients.find_longest_gap(control) <= GAP


def test_twenty_reloads_in_a_row(start_slow_import, control):
    server = start_slow_import()

    with load_of_all_kinds(server) as clients:
        for generation in range(2, 22):
            server.signal(signal.SIGHUP)
            server.wait_for_generation(generation)
        server.wait_for_log(LEFT, times=40)
        clients.wait_for_answers(50)

    assert_unnoticed(clients, control)


def test_ten_recycled_workers(start_slow_import, control):
    server = start_slow_import("--max-requests", "100", "--max-requests-jitter", "50", workers=4)

    with load_of_all_kinds(server) as clients:
        for left in range(1, 11):
            server.wait_for_log(LEFT, times=left)
        clients.wait_for_answers(50)

    assert_unnoticed(clients, control)


def test_more_workers_then_fewer_then_a_new_master(start_slow_import, control):
    server = start_slow_import()

    with ExitStack() as stop, load_of_all_kinds(server) as clients:
        for wanted in (3, 4):
            server.signal(signal.SIGTTIN)
            server.wait_for_log(f"{wanted} workers from now on")
        server.wait_for_log(READY, times=4)
        for left in (1, 2):
            server.signal(signal.SIGTTOU)
            server.wait_for_log(LEFT, times=left)
        server.signal(signal.SIGUSR2)
        heir = int(server.wait_for_log(BECOMES)[1])
        stop.callback(os.kill, heir, signal.SIGTERM)
        assert 0 == server.wait()
        clients.wait_for_answers(50)

    assert_unnoticed(clients, control)
