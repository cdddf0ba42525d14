"""`--preload`: the application is loaded once, and the workers are forked from what is loaded."""

import json
import os
import re
import select
import signal
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.client import RawClient, Truncated
from tests.support.load import load
from tests.support.server import run_greenserve

READY = r"worker \d+ \(pid \d+\) is ready"

VERSION = """
import os
LOADED_BY = os.getpid()
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{word} %d" % LOADED_BY]
"""


def find_children(server, role):
    """Return the pids of the living children of the master whose title has the *role*."""
    return [child.pid for child in psutil.Process(server.pid).children() if f": {role}" in title_of(child)]


def title_of(process):
    """Return what ps shows; nothing for one that is dead."""
    try:
        return "".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def ask(server):
    with RawClient(server.address) as client:
        return client.ask().content


def ask_all(server):
    """Return an answer of each worker by its pid: those that answer are held until all have."""
    answers = {}
    while set(answers) != set(find_children(server, "worker")):
        said = json.loads(ask(server))
        answers[said["pid"]] = said
    return answers


@pytest.fixture
def versioned(start_server, tmp_path):
    """A server of an application that tells its version, and how to change that."""

    def write(text):
        (tmp_path / "versioned.py").write_text(text)

    write(VERSION.format(word="one"))
    return start_server("--preload", "--workers", "2", "versioned", cwd=tmp_path), write


def test_application_is_loaded_once_for_all_workers(start_server):
    """It asked by HTTP and slept at import, so a hub has run before the workers were forked."""
    server = start_server("--preload", "--workers", "3", "preloaded")

    answers = ask_all(server)

    assert 3 == len(answers)
    assert 1 == len({said["loaded_by"] for said in answers.values()})
    assert {"fine"} == {said["told"] for said in answers.values()}
    assert 3 == len({said["random"] for said in answers.values()})
    assert 1 == len(find_children(server, "mold"))


def test_worker_that_dies_is_replaced_by_one_that_has_loaded_already(start_server):
    server = start_server("--preload", "--workers", "2", "preloaded")
    loaded_by = json.loads(ask(server))["loaded_by"]

    for pid in find_children(server, "worker"):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log(READY, times=4)

    assert {loaded_by} == {said["loaded_by"] for said in ask_all(server).values()}
    assert 2 == len(re.findall(r"was killed by SIGKILL", server.log))


def test_death_of_the_mold_is_nothing_to_the_workers(start_server):
    server = start_server("--preload", "--workers", "2", "preloaded")
    before = set(find_children(server, "worker"))
    (mold,) = find_children(server, "mold")

    os.kill(mold, signal.SIGKILL)
    server.wait_for_log(r"the mold \(pid \d+\) is gone")

    assert before == set(ask_all(server))
    server.signal(signal.SIGTTIN)
    server.wait_for_log(READY, times=3)
    assert 2 == len({said["loaded_by"] for said in ask_all(server).values()})


def test_signals_for_the_whole_group_are_nothing_to_the_mold(start_server):
    """They come all at once when it goes on after Ctrl-Z."""
    server = start_server("--preload", "--workers", "1", "preloaded")
    (mold,) = find_children(server, "mold")

    for name in ("STOP", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "TTIN", "TTOU", "CONT"):
        os.kill(mold, signal.Signals[f"SIG{name}"])
    server.signal(signal.SIGTTIN)
    server.wait_for_log(READY, times=2)

    assert 1 == len({said["loaded_by"] for said in ask_all(server).values()})


def test_reload_under_load_makes_another_mold_and_loses_no_request(versioned):
    server, write = versioned
    (first,) = find_children(server, "mold")
    write(VERSION.format(word="two"))

    with load(server, connections=8, bursts=1) as clients:
        server.signal(signal.SIGHUP)
        server.wait_for_generation(2)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert ask(server).startswith(b"two")
    assert first not in find_children(server, "mold")


def test_old_code_is_forked_from_the_mold_after_new_code_was_given_up(versioned):
    """Without a mold the replacement would load what is on the disk, which does not work."""
    server, write = versioned
    write("half a line (")
    server.signal(signal.SIGHUP)
    server.wait_for_log("the new code was not taken")

    for pid in find_children(server, "worker"):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log(READY, times=4)

    assert ask(server).startswith(b"one")


def test_worker_writes_to_the_logs_that_were_opened_anew_before_it_was_forked(start_server, tmp_path):
    log = tmp_path / "access.log"
    server = start_server("--preload", "--access-logfile", str(log), "hello")
    log.rename(tmp_path / "access.log.1")
    server.signal(signal.SIGUSR1)
    server.wait_for_log("the logs are open anew")

    os.kill(find_children(server, "worker")[0], signal.SIGKILL)
    server.wait_for_log(READY, times=2)
    ask(server)
    server.stop()

    assert 1 == log.read_text().count("GET / HTTP/1.1")
    assert "" == (tmp_path / "access.log.1").read_text()


def test_stuck_worker_that_was_forked_from_the_mold_tells_where_it_is(start_server):
    server = start_server("--preload", "--workers", "2", "--timeout", "1", "stuck")
    os.kill(min(find_children(server, "worker")), signal.SIGKILL)
    server.wait_for_log(READY, times=3)

    with pytest.raises((Truncated, ConnectionResetError)), RawClient(server.address) as client:
        client.ask("/stuck")

    assert server.wait_for_log(r"has been stuck for")
    assert server.wait_for_log(r"stuck\.py line \d+, in ")


def test_signal_to_the_whole_group_is_one_stop(start_server):
    """As timeout(1) and terminals send it: the mold is in the group, too."""
    server = start_server("--preload", "--workers", "2", "hello")

    os.killpg(server.pid, signal.SIGTERM)

    assert 0 == server.wait()
    server.wait_for_end()
    assert "is gone" not in server.log


def test_application_that_cannot_be_loaded_ends_the_server_as_ever(start_server):
    ended = run_greenserve("--preload", "--workers", "2", "--bind", "127.0.0.1:0", "raises_at_import")
    without = run_greenserve("--workers", "2", "--bind", "127.0.0.1:0", "raises_at_import")

    assert without.returncode == ended.returncode == 4
    assert 1 == ended.stderr.count("'raises_at_import' cannot be loaded")


def test_no_process_outlives_a_master_that_is_killed(start_server):
    server = start_server("--preload", "--workers", "2", "preloaded")
    ends = [os.pidfd_open(pid) for pid in find_children(server, "")]

    server.stop(signal.SIGKILL)

    assert 3 == len(ends)
    for end in ends:
        assert select.select([end], [], [], server.timeout)[0]
        os.close(end)
    server.wait_for_end()


def test_what_workers_should_begin_themselves_is_named(start_server):
    server = start_server("--preload", "--workers", "2", "unshared")

    said = server.wait_for_log(r"the workers share what each should begin in a post_fork hook: (.*)$").group(1)

    for what in (
        "the thread 'refresher'",
        "the greenlet wait_for_changes",
        r"a connection to 127\.0\.0\.1:\d+",
        "an event loop of asyncio",
        r"the process \d+ \(sleep\)",
    ):
        assert re.search(what, said)


def test_nothing_is_named_without_a_reason(start_server):
    server = start_server("--preload", "preloaded")

    assert "the workers share" not in server.log


def test_hooks_of_a_worker_run_in_each_after_the_application_was_loaded(start_server, tmp_path):
    hooks = tmp_path / "hooks.py"
    hooks.write_text(
        "def post_fork(server, worker):\n"
        "    import sys\n"
        "    worker.log.info('post_fork %d %s', worker.age, 'preloaded' in sys.modules)\n"
    )
    server = start_server("-c", str(hooks), "--preload", "--workers", "3", "preloaded")

    assert {("1", "True"), ("2", "True"), ("3", "True")} == set(re.findall(r"post_fork (\d) (\w+)", server.log))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_application_is_loaded_without_the_rights_of_root(start_server, authority):
    """The certificate's key is root's alone, and every worker has it: it was read before."""
    pair = authority.issue("localhost")
    server = start_server("--preload", "--workers", "2", "--user", "65534", *pair.flags, "hello")

    os.kill(min(find_children(server, "worker")), signal.SIGKILL)
    server.wait_for_log(READY, times=3)

    children = find_children(server, "mold") + find_children(server, "worker")
    assert [65534] * 3 == [psutil.Process(pid).uids().real for pid in children]
    assert 200 == requests.get(f"https://localhost:{server.address[1]}/", verify=authority.path, timeout=20).status_code


def pss_of(pid):
    """Return the memory of a process in MB, what is shared divided among those that share it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE).group(1)) / 1024


def measure(server):
    """Return the memory of all that --preload adds or changes, when each worker has answered for a while."""
    for _ in range(100):
        assert b"books" in ask(server)
    return sum(map(pss_of, find_children(server, "")))


def test_workers_share_the_memory_of_the_application(start_server):
    """4 workers of Flask and SQLAlchemy; the mold counts too. The figure of the guide to --preload is printed here."""
    pytest.importorskip("sqlalchemy")
    without = measure(start_server("--workers", "4", "catalogue"))

    shared = measure(start_server("--workers", "4", "--preload", "catalogue"))

    print(f"{without:.0f} MB without --preload, {shared:.0f} MB with it")
    assert shared < 0.75 * without
