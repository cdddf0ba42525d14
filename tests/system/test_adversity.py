"""The master outlives what it was given to live in: as pid 1, without stderr, on a full disk, in a directory that is gone."""

import shutil
import signal
import socket
import subprocess

import psutil
import pytest

from tests.support.client import RawClient
from tests.support.server import APPS, GREENSERVE, make_environ

HELLO = (APPS / "hello.py").read_text()

#: Whether a process may be pid 1 of a namespace of its own.
may_be_first = (
    shutil.which("unshare") is not None
    and subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False).returncode == 0
)


def ask(server):
    with RawClient(server.address) as client:
        return client.ask().status


def reload_and_reopen(server):
    server.signal(signal.SIGHUP)
    server.wait_for_generation(2)
    server.signal(signal.SIGUSR1)
    assert 200 == ask(server)


def test_stderr_that_is_closed_is_no_end(start_server):
    """Its number becomes a socket's or a file's, which must get no log line."""
    server = start_server("hello", command=["sh", "-c", 'exec "$@" 2>&-', "sh", *GREENSERVE])

    reload_and_reopen(server)

    assert 0 == server.stop()


def test_stderr_whose_reader_is_gone_is_no_end(start_server):
    server = start_server("hello", command=["bash", "-c", 'exec "$@" 2> >(exec true)', "bash", *GREENSERVE])

    reload_and_reopen(server)

    assert 0 == server.stop()


def test_full_disk_under_the_log_is_no_end(start_server):
    server = start_server("hello", "--error-logfile", "/dev/full")

    reload_and_reopen(server)

    assert 0 == server.stop()


def test_directory_that_is_gone_is_no_end(start_server, tmp_path):
    """The new code cannot be loaded from it, so the old code goes on."""
    place = tmp_path / "release"
    place.mkdir()
    (place / "here.py").write_text(HELLO)
    server = start_server("here", cwd=place)

    shutil.rmtree(place)
    server.signal(signal.SIGHUP)
    server.wait_for_log("generation 1 goes on")

    assert 200 == ask(server)


@pytest.fixture
def manager(tmp_path):
    """A service manager that is told READY=1."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        yield manager


@pytest.mark.skipif(not may_be_first, reason="this user may make no pid namespace")
def test_as_the_first_process_it_reaps_orphans_and_hears_signals(manager, tmp_path):
    """The kernel shields pid 1 from every signal that it has no handler for, and gives it the orphans of others."""
    (tmp_path / "orphans.py").write_text(f"import os\nos.system('(sh -c \"exit 7\" &)')\n{HELLO}")
    flags = ["orphans", "--bind", f"unix:{tmp_path}/sock", "--log-level", "debug"]
    command = ["unshare", "--pid", "--fork", "--kill-child", *GREENSERVE, *flags]
    environ = make_environ({"NOTIFY_SOCKET": manager.getsockname()})

    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as unshare:
        assert b"MAINPID=1\n" in manager.recv(4096)
        (master,) = psutil.Process(unshare.pid).children()
        master.send_signal(signal.SIGTERM)
        told = unshare.communicate(timeout=30)[1]

    assert 0 == unshare.returncode, told
    assert "an orphan, exited with code 7" in told
