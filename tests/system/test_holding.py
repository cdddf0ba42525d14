"""One worker, thousands of clients that hold on, and one that just wants an answer."""

import http.client
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

CROWD = Path(__file__).parent.parent / "support" / "crowd.py"

#: Short deadlines, so that the tests see them pass; long enough for a crowd to gather.
DEADLINES = ["--head-timeout", "10", "--content-timeout", "10", "--write-timeout", "10", "--keep-alive", "10"]

#: Seconds that a healthy client is watched for, and within which 99 of 100 answers must come.
WATCH = 3.0
PATIENCE = 0.1


@contextmanager
def crowd(kind, count, server):
    """A crowd that has gathered; gives a function that waits for its end and returns what it saw."""
    host, port = server.address
    command = [sys.executable, str(CROWD), kind, str(count), host, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert "begun\n" == process.stdout.readline()
        yield lambda: json.loads(process.stdout.readline())


def ask_for(seconds, server):
    """Ask again and again, on one connection and on fresh ones; return the seconds each answer took."""
    times = []
    persistent = http.client.HTTPConnection(*server.address, timeout=30)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for connection in (persistent, http.client.HTTPConnection(*server.address, timeout=30)):
            began = time.monotonic()
            connection.request("GET", "/")
            response = connection.getresponse()
            assert (200, b"hello") == (response.status, response.read())
            times.append(time.monotonic() - began)
            if connection is not persistent:
                connection.close()
    persistent.close()
    return times


def percentile_99(times):
    return sorted(times)[int(len(times) * 0.99)]


def worker_of(server):
    return psutil.Process(server.workers()[0])


@pytest.mark.parametrize(
    ("kind", "count", "kib_each"),
    [
        # The head so far, a greenlet and a socket.
        ("head", 5_000, 16),
        # And what the application has of the request.
        ("content", 1_000, 32),
        # The answer itself is one object of the application's, however many read it.
        ("reader", 1_000, 32),
        ("idle", 10_000, 16),
    ],
)
def test_healthy_client_is_answered_beside_a_crowd(start_server, record_property, kind, count, kib_each):
    server = start_server("held", "--worker-connections", "12000", *DEADLINES)
    ask_for(0.2, server)
    before = worker_of(server).memory_info().rss

    with crowd(kind, count, server) as wait_for_end:
        each = (worker_of(server).memory_info().rss - before) / count / 1024
        times = ask_for(WATCH, server)
        seen = wait_for_end()

    record_property("p99_ms", round(percentile_99(times) * 1000, 1))
    record_property("kib_each", round(each, 1))
    assert count == seen["closed"]
    assert each < kib_each
    assert percentile_99(times) < PATIENCE


def test_aborts_at_every_stage_leave_nothing_behind(start_server):
    deadlines = ["--head-timeout", "2", "--content-timeout", "2", "--write-timeout", "2", "--keep-alive", "2"]
    server = start_server("held", "--log-level", "warning", *deadlines)
    ask_for(0.1, server)
    wait_until_alone(server)
    descriptors = worker_of(server).num_fds()
    abort(1_000, server, descriptors)
    memory = worker_of(server).memory_info().rss

    abort(5_000, server, descriptors)

    assert descriptors == worker_of(server).num_fds()
    assert worker_of(server).memory_info().rss - memory < 4 << 20
    assert "Traceback" not in server.log


def abort(count, server, descriptors):
    """Let *count* clients break off; return when the worker has let go of them."""
    with crowd("abort", count, server) as wait_for_end:
        wait_for_end()
    wait_until(lambda: worker_of(server).num_fds() <= descriptors, server)


def wait_until_alone(server):
    wait_until(lambda: len(worker_of(server).net_connections("tcp")) == 1, server)


def wait_until(holds, server):
    """Return when *holds* does, or after 20 seconds; asking meanwhile takes the time."""
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        ask_for(0.05, server)
