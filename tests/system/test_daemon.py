"""--daemon: the command ends when the server serves, and the server goes on without a terminal."""

import os
import select
import signal
import time

import pytest

from tests.support.client import RawClient
from tests.support.server import DEADLINE, run_greenserve


@pytest.fixture
def place(tmp_path):
    """The flags of a daemon whose files are in tmp_path; it is stopped with the test if the test has not."""
    pidfile = tmp_path / "pid"
    yield ["--daemon", "--bind", f"unix:{tmp_path}/sock", "--pid", str(pidfile), "--error-logfile", str(tmp_path / "log")]
    if pidfile.exists():
        os.kill(int(pidfile.read_text()), signal.SIGKILL)


def end(tmp_path):
    """Stop the daemon, and return when it has ended."""
    pid = int((tmp_path / "pid").read_text())
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    assert select.select([process], [], [], DEADLINE)[0]
    os.close(process)


def test_the_command_ends_when_the_server_serves(place, tmp_path):
    """It returns at all because no process of the server has kept its stdout or stderr."""
    done = run_greenserve("hello", *place)

    assert (0, "") == (done.returncode, done.stderr)
    pid = int((tmp_path / "pid").read_text())
    assert os.getsid(pid) == pid != os.getsid(0)
    with RawClient(f"{tmp_path}/sock") as client:
        assert 200 == client.ask().status
    end(tmp_path)
    assert ["log"] == os.listdir(tmp_path)


def test_the_terminal_is_let_go_though_the_log_went_there(place, tmp_path):
    done = run_greenserve("hello", *place[:-2], "--access-logfile", "-")

    assert 0 == done.returncode
    assert "is ready after" in done.stderr
    end(tmp_path)


def test_an_application_that_cannot_be_loaded_is_told_by_the_exit_code(place, tmp_path):
    done = run_greenserve("needs_missing", *place)

    assert 4 == done.returncode
    assert "cannot be loaded" in (tmp_path / "log").read_text()


def test_without_a_log_the_reason_is_on_the_terminal(place):
    done = run_greenserve("needs_missing", *place[:-2])

    assert 4 == done.returncode
    assert "'needs_missing' cannot be loaded" in done.stderr


def test_a_daemon_is_upgraded_as_any_other_server(place, tmp_path):
    run_greenserve("hello", *place)
    old = int((tmp_path / "pid").read_text())

    os.kill(old, signal.SIGUSR2)
    await_successor(old, tmp_path / "pid")

    with RawClient(f"{tmp_path}/sock") as client:
        assert 200 == client.ask().status
    end(tmp_path)
    assert ["log"] == os.listdir(tmp_path)


def await_successor(pid, pidfile):
    """Return when another than *pid* stands in the file; a daemon tells nobody else."""
    deadline = time.monotonic() + DEADLINE
    while not pidfile.exists() or int(pidfile.read_text()) == pid:
        assert time.monotonic() < deadline
        select.select([], [], [], 0.1)
