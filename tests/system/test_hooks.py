"""The hooks of a configuration file, called by a real server."""

import os
import re
from signal import SIGABRT, SIGHUP, SIGQUIT, SIGTERM, SIGTTIN, SIGUSR2

import pytest

from tests.support.client import RawClient, make_request
from tests.support.server import run_greenserve

SAY = """
def say(log, name, *words):
    log.info("hook %s", " ".join(map(str, (name, *words))))
"""

EVERY_HOOK = (
    SAY
    + """
def on_starting(server): say(server.log, "on_starting", server.pid > 1)
def on_reload(server): say(server.log, "on_reload", server.cfg.workers)
def when_ready(server): say(server.log, "when_ready", len(server.WORKERS))
def pre_fork(server, worker):
    worker.mark = len(server.WORKERS)
    say(worker.log, "pre_fork", worker.age)
def post_fork(server, worker): say(worker.log, "post_fork", worker.age, worker.mark, worker.ppid == server.pid)
def post_worker_init(worker): say(worker.log, "post_worker_init", callable(worker.wsgi))
def worker_int(worker): say(worker.log, "worker_int")
def pre_request(worker, req): say(worker.log, "pre_request", worker.nr, req.uri)
def post_request(worker, req, environ, resp): say(worker.log, "post_request", resp.status)
def child_exit(server, worker): say(server.log, "child_exit", worker.age, worker.alive)
def worker_exit(server, worker): say(worker.log, "worker_exit", worker.age)
def nworkers_changed(server, new_value, old_value): say(server.log, "nworkers_changed", new_value, old_value)
def on_exit(server): say(server.log, "on_exit", len(server.WORKERS))
"""
)


@pytest.fixture
def configure(tmp_path):
    def configure(text):
        path = tmp_path / "hooks.py"
        path.write_text(text)
        return "-c", str(path)

    return configure


def said(server):
    return re.findall(r"hook (.+)$", server.log, re.MULTILINE)


def test_a_server_calls_each_hook_in_its_place(start_server, configure):
    server = start_server(*configure(EVERY_HOOK), "hello")
    server.wait_for_log("hook when_ready")
    with RawClient(server.address) as client:
        client.ask()
    server.wait_for_log("hook post_request")

    assert 0 == server.stop()

    server.wait_for_end()
    assert [
        "nworkers_changed 1 None",
        "on_starting True",
        "pre_fork 1",
        "post_fork 1 0 True",
        "post_worker_init True",
        "when_ready 1",
        "pre_request 0 /",
        "post_request 200 OK",
        "worker_exit 1",
        "child_exit 1 False",
        "on_exit 0",
    ] == said(server)


def test_a_reload_and_a_resize_are_told(start_server, configure):
    server = start_server(*configure(EVERY_HOOK), "hello")
    server.wait_for_log("hook when_ready")

    server.signal(SIGHUP)
    server.wait_for_generation(2)
    server.wait_for_log("hook child_exit 1")
    server.signal(SIGTTIN)
    server.wait_for_log("hook post_worker_init", times=3)

    assert 1 == said(server).count("when_ready 1")
    assert "on_reload 1" in said(server)
    assert "nworkers_changed 2 1" in said(server)


def test_a_worker_that_is_told_to_stop_at_once_says_so(start_server, configure):
    server = start_server(*configure(EVERY_HOOK), "hello")

    assert 0 == server.stop(SIGQUIT)

    server.wait_for_end()
    assert ["worker_int", "worker_exit 1"] == [line for line in said(server) if "worker_" in line][-2:]


def test_an_aborted_worker_gets_its_last_words(start_server, configure):
    hooks = SAY + "def worker_abort(worker): say(worker.log, 'worker_abort', worker.pid > 1)\n"
    server = start_server(*configure(hooks), "hello")
    (worker,) = server.workers()

    os.kill(worker, SIGABRT)

    server.wait_for_log("hook worker_abort True")
    server.wait_for_log(r"exited with code 1")


def test_a_stuck_worker_gets_its_last_words_when_it_is_replaced(start_server, configure):
    hooks = SAY + "def worker_abort(worker): say(worker.log, 'worker_abort', worker.age)\n"
    server = start_server(*configure(hooks), "--timeout", "1", "stuck")

    with RawClient(server.address) as client:
        client.send(make_request("/stuck"))
        server.wait_for_log(r"worker 1 \(pid \d+\) is aborted: its hub has been stuck")

    server.wait_for_log("hook worker_abort 1")


def test_a_hook_that_raises_in_the_master_costs_nothing(start_server, configure):
    names = (
        "on_reload(server)",
        "when_ready(server)",
        "pre_fork(server, worker)",
        "child_exit(server, worker)",
        "on_exit(server)",
    )
    server = start_server(*configure("".join(f"def {name}: raise ValueError('oh')\n" for name in names)), "hello")

    server.signal(SIGHUP)
    server.wait_for_generation(2)
    server.wait_for_log("the hook child_exit .* failed")

    assert 0 == server.stop()
    server.wait_for_end()
    assert all(f"the hook {name.partition('(')[0]} (" in server.log for name in names)


def test_an_on_starting_that_raises_keeps_the_server_from_starting(configure):
    ended = run_greenserve(
        *configure("def on_starting(server): raise ValueError('no database')\n"), "--bind=127.0.0.1:0", "hello"
    )

    assert 1 == ended.returncode
    assert re.search(r"^greenserve: the hook on_starting \(.*hooks.py:1\) raised ValueError: no database$", ended.stderr, re.M)


@pytest.mark.parametrize("hook", ["post_fork(server, worker)", "post_worker_init(worker)"])
def test_a_worker_whose_hook_raises_does_not_start(configure, hook):
    ended = run_greenserve(*configure(f"def {hook}:\n    raise ValueError('no database')\n"), "--bind=127.0.0.1:0", "hello")

    assert 3 == ended.returncode
    assert re.search(r"a worker cannot start: the hook post_\w+ \(.*hooks.py:1\) failed$", ended.stderr, re.M)
    assert 'hooks.py", line 2, in post_' in ended.stderr
    assert "ValueError: no database" in ended.stderr


def test_a_hook_cannot_load_gevent_into_the_master(start_server, configure):
    server = start_server(*configure("def when_ready(server):\n    from gevent import sleep\n"), "hello")

    server.wait_for_log("the hook when_ready .* failed")

    server.wait_for_log("imports gevent, which the master must not load")


def test_hooks_may_use_gevent_in_a_worker_and_put_another_application_in_place(start_server, configure):
    hook = """
def post_worker_init(worker):
    import gevent
    inner = worker.wsgi
    def outer(environ, start_response):
        gevent.sleep(0)
        return [block.upper() for block in inner(environ, start_response)]
    worker.wsgi = outer
"""
    server = start_server(*configure(hook), "hello")

    with RawClient(server.address) as client:
        assert b"HELLO\n" == client.ask().content


def test_a_worker_that_a_hook_ends_is_replaced_first(start_server, configure):
    server = start_server(*configure("def post_request(worker, req): worker.alive = False\n"), "hello")

    with RawClient(server.address) as client:
        client.ask()

    server.wait_for_log("worker 1 .* retires: a hook has set worker.alive to False")
    server.wait_for_log("worker 2 .* is ready")


def test_an_upgrade_is_told_to_the_old_master(start_server, configure):
    server = start_server(*configure(SAY + "def pre_exec(server): say(server.log, 'pre_exec', server.pid)\n"), "hello")

    server.signal(SIGUSR2)

    heir = int(server.wait_for_log(r"pid (\d+) is to be the new master")[1])
    assert 0 == server.wait()
    os.kill(heir, SIGTERM)
    assert [f"pre_exec {server.pid}"] == said(server)


def test_a_thread_in_the_master_is_told(start_server, configure):
    hook = (
        "def when_ready(server):\n    from threading import Thread, Event\n    Thread(target=Event().wait, daemon=True).start()\n"
    )
    server = start_server(*configure(hook), "hello")

    server.wait_for_log(r"\[WARNING\] the hook when_ready \(.*:1\) has left a thread in the master, which can hang workers")


# Hooks as they are found in the wild.

WORKER_NUMBERS = """
import os

def on_starting(server):
    server._free = set()

def nworkers_changed(server, new_value, old_value):
    server._wanted = new_value

def _next(server):
    in_use = {w._number for w in tuple(server.WORKERS.values()) if w.alive}
    return min(set(range(1, 2 * server._wanted + 1)) - in_use)

def pre_fork(server, worker):
    worker._number = _next(server)

def post_fork(server, worker):
    os.environ["APP_WORKER_ID"] = str(worker._number)

def post_worker_init(worker):
    worker.log.info("hook %s", os.environ["APP_WORKER_ID"])
"""


def test_workers_can_be_numbered(start_server, configure):
    server = start_server(*configure(WORKER_NUMBERS), "--workers", "2", "hello")

    server.signal(SIGHUP)
    server.wait_for_generation(2)

    assert ["1", "2"] == sorted(said(server)[:2])
    assert 4 == len(said(server))


PROMETHEUS = """
from prometheus_client import multiprocess

def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)
"""


def test_prometheus_hears_of_dead_workers(start_server, configure, tmp_path):
    pytest.importorskip("prometheus_client")
    server = start_server(*configure(PROMETHEUS), "hello", env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)})
    (worker,) = server.workers()
    (tmp_path / f"gauge_liveall_{worker}.db").write_bytes(b"")

    assert 0 == server.stop()

    assert [] == list(tmp_path.glob("gauge_*"))
    assert "failed" not in server.log
