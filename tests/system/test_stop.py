"""Stopping, resizing and reopening by the signals that users of gunicorn know."""

import signal
import socket
import time

import pytest

from tests.support.client import RawClient, make_request
from tests.support.load import load

HEALTH = """
def application(environ, start_response):
    start_response("200 OK" if environ["greenserve.ready"]() else "503 Service Unavailable", [])
    return []
"""

BEATS = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    return beat(environ["greenserve.draining"])


def beat(draining):
    yield b"hello"
    draining.wait()
    yield b"goodbye"
"""


def test_term_lets_requests_in_flight_finish(start_server, gate):
    server = start_server("gated", "--workers", "2", env=gate.environ)

    with RawClient(server.address) as whole, RawClient(server.address) as streamed:
        whole.send(make_request("/"))
        streamed.send(make_request("/late"))
        visitors = [gate.admit(), gate.admit()]
        server.signal(signal.SIGTERM)
        server.wait_for_notification("STOPPING")
        for visitor in visitors:
            visitor.release()
        responses = [whole.receive_response(), streamed.receive_response()]

    assert [b"passed", b"halfwhole"] == [response.content for response in responses]
    assert 0 == server.wait()


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["loaded by each", "preload"])
def test_who_comes_after_the_last_accept_is_refused(start_server, gate, options):
    """Else a client would hear nothing until the end, be reset then, and not know whether it was heard."""
    server = start_server("gated", "--workers", "2", "--bind", "127.0.0.1:0", *options, env=gate.environ, sockets=())
    address = ("127.0.0.1", int(server.wait_for_log(r"listening on http://127.0.0.1:(\d+)")[1]))

    with RawClient(address) as client:
        client.send(make_request())
        visitor = gate.admit()
        server.signal(signal.SIGTERM)
        refused = wait_until_refused(address)
        visitor.release()

        assert b"passed" == client.receive_response().content
    assert refused
    assert 0 == server.wait()


def wait_until_refused(address):
    """Return whether nobody listens there any more, within a few seconds."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1.0).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            # It was in the queue when that was let go.
            continue
    return False


def test_term_told_twice_in_one_breath_is_no_hurry(start_server, gate):
    """Supervisors signal the process and then its whole group, `timeout` of coreutils among them."""
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        server.signal(signal.SIGTERM)
        server.wait_for_notification("STOPPING")
        server.signal(signal.SIGTERM)
        visitor.release()
        response = client.receive_response()

    assert b"passed" == response.content
    assert 0 == server.wait()


def test_term_told_again_and_again_is_still_exit_code_0(start_server):
    """Also in the last milliseconds, when everybody has left and the interpreter ends."""
    server = start_server("hello")

    while server.is_alive():
        server.signal(signal.SIGTERM)

    assert 0 == server.wait()


def test_term_closes_idle_connections(start_server):
    server = start_server("hello")

    with RawClient(server.address) as client:
        client.ask()
        server.signal(signal.SIGTERM)

        assert b"" == client.receive_until_close()

    assert 0 == server.wait()


def test_term_kills_what_outlives_the_graceful_timeout(start_server, gate):
    server = start_server("gated", "--graceful-timeout", "1", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        began = time.monotonic()
        code = server.stop(signal.SIGTERM)
        visitor.wait_for_loss()

    assert 0 == code
    assert 1.0 <= time.monotonic() - began < 10


def test_what_outlives_the_graceful_timeout_is_named_with_its_stack(start_server, gate):
    server = start_server("gated", "--graceful-timeout", "1", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request("/late?order=7"))
        visitor = gate.admit()
        server.stop(signal.SIGTERM)
        visitor.wait_for_loss()

    server.wait_for_log(
        r"GET /late\?order=7 has taken 1\.\d s, and is cut off, here \(most recent call last\):\n"
        r'  File ".*gated\.py", line \d+, in stream\n.*\n'
        r'  File ".*gated\.py", line \d+, in wait_at_gate\n'
    )


def test_a_stuck_worker_does_not_outlive_the_graceful_timeout(start_server):
    """The master sees to it, and says where the worker was."""
    server = start_server("stuck", "--graceful-timeout", "1")

    with RawClient(server.address) as client:
        client.send(make_request("/call"))
        server.wait_for_log(r"from here on \d+ does not turn")
        began = time.monotonic()
        code = server.stop(signal.SIGTERM)

    assert 0 == code
    assert time.monotonic() - began < 4
    server.wait_for_log(r"is killed: it has not left within 1 s at .*stuck\.py line \d+, in call\n")


def test_exit_comes_with_the_last_answer(start_server, gate):
    """Nothing polls by the second."""
    server = start_server("gated", "--workers", "2", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        server.signal(signal.SIGTERM)
        server.wait_for_log("worker .* has left")
        visitor.release()
        client.receive_response()
        answered = time.monotonic()
        code = server.wait()

    assert 0 == code
    assert time.monotonic() - answered < 0.5


def test_health_checks_can_tell_that_the_server_is_about_to_stop(start_server, tmp_path):
    (tmp_path / "health.py").write_text(HEALTH)
    server = start_server("health", "--drain-delay", "1", cwd=tmp_path)

    with RawClient(server.address) as client:
        before = client.ask().status
        server.signal(signal.SIGTERM)
        server.wait_for_notification("STOPPING")
        after = client.ask()

    assert (200, 503) == (before, after.status)
    assert after.persistent, "it goes on serving"
    assert 0 == server.wait()


def receive_rest_after(server, number):
    """Return what a stream that has begun brings once the server has got that signal."""
    with RawClient(server.address) as client:
        client.send(make_request())
        while b"hello" not in client.receive_some():
            pass
        server.signal(number)
        return client.receive_until_close()


def test_streams_are_told_of_a_stop_and_end_by_themselves(start_server, tmp_path):
    (tmp_path / "beats.py").write_text(BEATS)
    server = start_server("beats", "--graceful-timeout", "25", cwd=tmp_path)

    rest = receive_rest_after(server, signal.SIGTERM)

    assert rest.endswith(b"goodbye\r\n0\r\n\r\n")
    assert 0 == server.wait()


def test_streams_are_told_of_a_reload_and_end_by_themselves(start_server, tmp_path):
    (tmp_path / "beats.py").write_text(BEATS)
    server = start_server("beats", "--graceful-timeout", "25", cwd=tmp_path)

    rest = receive_rest_after(server, signal.SIGHUP)

    assert rest.endswith(b"goodbye\r\n0\r\n\r\n")
    server.wait_for_log(r"worker \d+ \(pid \d+\) has left")


def test_term_serves_on_until_load_balancers_have_noticed(start_server):
    server = start_server("hello", "--workers", "2", "--drain-delay", "1.5")

    with load(server, connections=4, bursts=1) as clients:
        server.signal(signal.SIGTERM)
        server.wait_for_notification("STOPPING")
        clients.wait_for_answers(100)
    code = server.wait()

    assert [] == clients.failures
    assert 0 == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_and_quit_wait_for_nobody(start_server, gate, number):
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        began = time.monotonic()
        code = server.stop(number)
        visitor.wait_for_loss()

    assert 0 == code
    assert time.monotonic() - began < 10


def test_int_hurries_a_graceful_stop(start_server, gate):
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        server.signal(signal.SIGTERM)
        server.wait_for_notification("STOPPING")
        code = server.stop(signal.SIGINT)
        visitor.wait_for_loss()

    assert 0 == code


def test_ttin_and_ttou_add_and_remove_a_worker(start_server):
    server = start_server("hello")
    (first,) = server.workers()

    server.signal(signal.SIGTTIN)
    server.wait_for_log(r"worker \d+ \(pid \d+\) is ready", times=2)
    grown = server.workers()
    server.signal(signal.SIGTTOU)
    server.wait_for_log(r"worker \d+ \(pid \d+\) has left")

    assert 2 == len(grown)
    assert first in grown
    with RawClient(server.address) as client:
        assert b"hello\n" == client.ask().content


def test_usr1_reopens_the_logs(start_server, tmp_path):
    errors, access = tmp_path / "error.log", tmp_path / "access.log"
    server = start_server("hello", "--error-logfile", str(errors), "--access-logfile", str(access))
    errors.rename(tmp_path / "error.log.1")

    server.signal(signal.SIGUSR1)
    server.stop()

    assert errors.exists()
    assert access.exists()


def test_pidfile_lives_as_long_as_the_server(start_server, tmp_path):
    pidfile = tmp_path / "greenserve.pid"
    server = start_server("hello", "--pid", str(pidfile))
    written = pidfile.read_text()

    code = server.stop()

    assert (f"{server.pid}", 0) == (written.strip(), code)
    assert not pidfile.exists()
