"""SIGUSR2: a new master of whatever is installed now takes the place of the old one, and no client notices."""

import os
import signal
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.client import RawClient, make_request
from tests.support.load import load

BECOMES = r"pid (\d+) is to be the new master"


@pytest.fixture
def generation_file(tmp_path):
    path = tmp_path / "generation"
    path.write_text("1")
    return path


@contextmanager
def upgraded(server):
    """Ask for an upgrade, and stop the new master at the end; it is the pid that is given."""
    server.signal(signal.SIGUSR2)
    heir = int(server.wait_for_log(BECOMES)[1])
    try:
        yield heir
    finally:
        os.kill(heir, signal.SIGTERM)


def test_upgrade_under_load_drops_no_request(start_server, generation_file):
    server = start_server("generation", "--workers", "2", env={"GENERATION_FILE": str(generation_file)})

    with ExitStack() as heirs, load(server, connections=8, bursts=2) as clients:
        generation_file.write_text("2")
        heir = heirs.enter_context(upgraded(server))
        assert 0 == server.wait()
        clients.wait_for_answers(100)
        server.wait_for_log(rf"\[{heir}\] \[INFO\] pid {server.pid}, the master before this one, is gone")

    assert [] == clients.failures
    assert {1, 2} == clients.generations_seen


def test_upgrade_upon_upgrade_of_an_application_that_is_slow_to_import(start_server, control):
    """Each new master is upgraded in its turn."""
    server = start_server("lazy", "--workers", "2", env={"IMPORT_SECONDS": "1"})
    masters = [server.pid]

    with ExitStack() as stop, load(server, connections=4, bursts=1) as clients:
        for number in (1, 2):
            os.kill(masters[-1], signal.SIGUSR2)
            masters.append(int(server.wait_for_log(BECOMES, times=number)[1]))
            server.wait_for_log(rf"\[{masters[-1]}\] \[INFO\] pid {masters[-2]}, the master before this one, is gone")
        stop.callback(os.kill, masters[-1], signal.SIGTERM)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert clients.find_longest_gap(control) <= 0.25


def test_request_in_flight_outlives_the_upgrade(start_server, gate):
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        with upgraded(server) as heir:
            server.wait_for_log(f"pid {heir}, the new master, serves: this one leaves")
            visitor.release()
            assert b"passed" == client.receive_response().content
            assert 0 == server.wait()


def test_new_master_that_cannot_start_leaves_the_old_one_serving(start_server, tmp_path):
    settings = tmp_path / "greenserve.toml"
    settings.write_text("workers = 1\n")
    server = start_server("-c", str(settings), "hello")

    settings.write_text('workers = "many"\n')
    server.signal(signal.SIGUSR2)
    server.wait_for_log(r"the new master \(pid \d+\) exited with code 1: this one goes on")

    with RawClient(server.address) as client:
        assert 200 == client.ask().status


def test_new_code_that_does_not_start_leaves_the_old_master_serving(start_server, generation_file):
    server = start_server("generation", env={"GENERATION_FILE": str(generation_file)})

    with load(server, connections=4) as clients:
        generation_file.write_text("broken")
        server.signal(signal.SIGUSR2)
        server.wait_for_log(r"the new master \(pid \d+\) exited with code 4: this one goes on")
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert {1} == clients.generations_seen


def test_upgrade_is_taken_back_by_hand_while_the_old_master_leaves(start_server, gate):
    """HUP brings its workers back, and the new master goes as soon as they serve."""
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        server.signal(signal.SIGUSR2)
        server.wait_for_log("the new master, serves: this one leaves")
        server.signal(signal.SIGHUP)
        server.wait_for_log(r"the new master \(pid \d+\) exited with code 0: this one goes on")
        visitor.release()
        assert b"passed" == client.receive_response().content

    with RawClient(server.address) as client:
        client.send(make_request())
        gate.admit().release()
        assert b"passed" == client.receive_response().content


def test_as_with_gunicorn_the_old_master_is_stopped_by_hand(start_server, tmp_path):
    """USR2, WINCH, QUIT; a socket's file and the pid file are the new master's then."""
    path, pidfile = tmp_path / "sock", tmp_path / "pid"
    server = start_server("hello", "--bind", f"unix:{path}", "--pid", str(pidfile), sockets=())

    with upgraded(server) as heir:
        server.signal(signal.SIGWINCH)
        # Of signals that wait together the kernel delivers the lower number first.
        server.wait_for_log("the workers leave, and this master stays")
        server.signal(signal.SIGQUIT)
        assert 0 == server.wait()
        server.wait_for_log("the master before this one, is gone")

        assert f"{heir}\n" == pidfile.read_text()
        assert ["pid", "sock"] == sorted(os.listdir(tmp_path))
        server.wait_for_log(rf"\[{heir}\] \[INFO\] worker 1 \(pid \d+\) is ready")
        with RawClient(str(path)) as client:
            assert 200 == client.ask().status
    server.wait_for_end()
    assert [] == os.listdir(tmp_path)


def test_service_manager_is_told_who_is_the_master_now(start_server):
    server = start_server("hello")

    with upgraded(server) as heir:
        assert 0 == server.wait()
        said = [each["MAINPID"] for each in server.notifications if "MAINPID" in each]

    assert str(heir) == said[-1]
    assert not any("STOPPING" in each for each in server.notifications[: len(said)])
