"""What a worker runs in: directory, environment, identity, name, and what it holds on to."""

import json
import os
import re
import select
import time
from pathlib import Path

import psutil
import pytest

from greenserve.cli import main
from tests.support.client import RawClient, make_request
from tests.support.server import APPS

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


def ask_environment(server):
    with RawClient(server.address) as client:
        return json.loads(client.ask().content)


def test_directory_and_import_path_are_the_applications(start_server, tmp_path):
    server = start_server("environment", "--chdir", str(tmp_path), "--pythonpath", str(APPS))

    assert str(tmp_path) == ask_environment(server)["os.getcwd"]


def test_environment_is_set_before_the_application_is_loaded(start_server, tmp_path):
    (tmp_path / "generation").write_text("5")
    server = start_server("generation", "--env", f"GENERATION_FILE={tmp_path / 'generation'}")

    with RawClient(server.address) as client:
        assert "5" == client.ask().field("X-Generation")


def test_what_was_for_the_master_does_not_reach_the_application(start_server):
    """A worker that starts a program of its own must not make it believe that it was handed our sockets."""
    server = start_server("environment")

    environ = ask_environment(server)["os.environ"]

    assert not {"LISTEN_FDS", "LISTEN_PID"} & set(environ)


@pytest.mark.security("drop groups with `initgroups` before `setuid`, verify")
@as_root
def test_workers_give_up_roots_rights_and_the_master_keeps_them(start_server, tmp_path):
    path = tmp_path / "served.sock"
    server = start_server("hello", "--user", "nobody", "--group", "nogroup", "--bind", f"unix:{path}", sockets=())
    (worker,) = server.workers()

    identity = psutil.Process(worker)

    assert {65534} == set(identity.uids()) | set(identity.gids())
    assert 65534 == path.stat().st_uid
    assert 0 == psutil.Process(server.pid).uids().real


def test_processes_carry_the_name_they_were_given(start_server):
    server = start_server("hello", "--name", "shop")

    titles = [" ".join(psutil.Process(pid).cmdline()).strip() for pid in (server.pid, *server.workers())]

    assert "greenserve: worker 1 [shop]" == titles[1]
    assert re.fullmatch(r"greenserve: master \[shop\] [01] workers?, generation 1", titles[0]), "it may change once a second"


def test_title_of_a_worker_tells_what_it_does(start_server, gate):
    """A second passes before it may change; so it is waited for, as a person would with top."""
    server = start_server("gated", env=gate.environ)
    (worker,) = server.workers()

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        title = await_title(worker, "in flight")
        visitor.release()
        client.receive_response()

    assert "greenserve: worker 1 [gated] 1 in flight" == title


def await_title(pid, words):
    """Return the title of *pid* when it has *words*; a process tells nobody that it has another."""
    deadline = time.monotonic() + 10
    while words not in (title := " ".join(psutil.Process(pid).cmdline()).strip()) and time.monotonic() < deadline:
        select.select([], [], [], 0.1)
    return title


def test_worker_keeps_no_descriptor_of_clients_that_left(start_server):
    server = start_server("hello")
    (worker,) = server.workers()
    visit(server)
    before = open_descriptors(worker)

    for _ in range(50):
        visit(server)

    assert before == open_descriptors(worker)


def visit(server):
    with RawClient(server.address) as client:
        client.send(make_request("/", "Connection: close"))
        client.receive_until_close()


def open_descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.security("fd hygiene (CLOEXEC)")
def test_workers_hold_no_descriptor_of_one_another(start_server):
    """Each has its own mailbox: one more would keep a dead master's line open."""
    server = start_server("hello", "--workers", "3")

    counts = [open_descriptors(worker) for worker in server.workers()]

    assert [counts[0]] * 3 == counts


def test_start_in_a_directory_that_is_gone_is_refused_in_one_sentence(tmp_path, monkeypatch, capsys):
    """A deploy may have removed the release that a shell or a service still stands in."""
    gone = tmp_path / "release"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    code = main(["app:app"])

    said = "greenserve: the current directory cannot be used (No such file or directory): change to one that is there\n"
    assert (1, said) == (code, capsys.readouterr().err)
