"""SIGHUP: new code and new configuration without one lost request, or none of both."""

import signal

import pytest

from tests.support.client import RawClient, make_request
from tests.support.load import load


@pytest.fixture
def generation_file(tmp_path):
    """What the application `generation` reads at import: a reload that loads it anew answers with the new number."""
    path = tmp_path / "generation"
    path.write_text("1")
    return path


def ask_generation(server):
    with RawClient(server.address) as client:
        return client.ask().field("X-Generation")


def test_ten_reloads_under_load_drop_no_request(start_server, generation_file):
    server = start_server("generation", "--workers", "4", env={"GENERATION_FILE": str(generation_file)})

    with load(server, connections=8, bursts=2) as clients:
        for generation in range(2, 12):
            generation_file.write_text(str(generation))
            server.signal(signal.SIGHUP)
            server.wait_for_generation(generation)
            clients.wait_for_answers(50)

    assert [] == clients.failures
    assert set(range(1, 12)) == clients.generations_seen


def test_reload_in_the_middle_of_a_reload_ends_with_the_newest_code(start_server, generation_file):
    server = start_server("generation", "--workers", "2", env={"GENERATION_FILE": str(generation_file)})

    with load(server, connections=4) as clients:
        server.signal(signal.SIGHUP)
        server.wait_for_notification("RELOADING")
        generation_file.write_text("3")
        server.signal(signal.SIGHUP)
        server.wait_for_generation(3)

    assert [] == clients.failures
    assert "3" == ask_generation(server)


def test_request_in_flight_outlives_the_reload(start_server, gate):
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as client:
        client.send(make_request())
        visitor = gate.admit()
        server.signal(signal.SIGHUP)
        server.wait_for_generation(2)
        visitor.release()
        response = client.receive_response()

    assert b"passed" == response.content
    assert not response.persistent
    server.wait_for_log(rf"\(pid {visitor.pid}\) has left")


def test_broken_code_never_replaces_code_that_works(start_server, generation_file):
    server = start_server("generation", "--workers", "2", env={"GENERATION_FILE": str(generation_file)})

    with load(server, connections=4) as clients:
        generation_file.write_text("broken")
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 'broken' is broken")
        server.wait_for_log("generation 1 goes on")
        clients.wait_for_answers(50)
        server.wait_for_status(r"generation 1: goes on, for generation 2 did not start: \w+: .*generation 'broken' is broken")

    assert [] == clients.failures
    assert {1} == clients.generations_seen


def test_repaired_code_is_taken_after_broken_code(start_server, generation_file):
    server = start_server("generation", env={"GENERATION_FILE": str(generation_file)})
    generation_file.write_text("broken")
    server.signal(signal.SIGHUP)
    server.wait_for_log("generation 1 goes on")

    generation_file.write_text("7")
    server.signal(signal.SIGHUP)
    server.wait_for_log(r"worker \d+ \(pid \d+\) is ready", times=2)
    server.wait_for_log(r"worker \d+ \(pid \d+\) has left")

    assert "7" == ask_generation(server)


def test_configuration_is_read_again(start_server, generation_file, tmp_path):
    settings = tmp_path / "greenserve.toml"
    settings.write_text("workers = 1\n")
    server = start_server("-c", str(settings), "generation", env={"GENERATION_FILE": str(generation_file)})

    settings.write_text("workers = 3\n")
    server.signal(signal.SIGHUP)
    server.wait_for_generation(2)

    server.wait_for_log(r"worker \d+ \(pid \d+\) is ready", times=4)
    assert "1" == ask_generation(server)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('workers = "many"', r"greenserve\.toml line 1: workers = .?many"),
        ('keyfile = "shop.key"', "keyfile is set, but there is no certfile"),
        ('accesslog = "/dev/null/log"', "accesslog '/dev/null/log' cannot be opened"),
    ],
    ids=["value", "contradiction", "log"],
)
def test_configuration_that_is_wrong_changes_nothing(start_server, generation_file, tmp_path, line, reason):
    settings = tmp_path / "greenserve.toml"
    settings.write_text("workers = 2\n")
    server = start_server("-c", str(settings), "generation", env={"GENERATION_FILE": str(generation_file)})
    before = server.workers()

    settings.write_text(f"{line}\n")
    server.signal(signal.SIGHUP)
    server.wait_for_log(f"the configuration in force stays: .*{reason}")

    assert "1" == ask_generation(server)
    assert before == server.workers()
