"""Where a server listens: it may be changed while it serves, and what stays does not notice."""

import os
import signal

import pytest

from tests.support.client import RawClient
from tests.support.load import load


@pytest.fixture
def settings(tmp_path):
    """A configuration file that a test writes anew before it reloads."""
    path = tmp_path / "greenserve.toml"

    def write(*addresses):
        path.write_text(f"workers = 2\nbind = {[f'unix:{address}' for address in addresses]}\n")
        return str(path)

    return write


def test_listeners_come_and_go_with_reloads_under_load(start_server, settings, tmp_path):
    first, second = tmp_path / "first.sock", tmp_path / "second.sock"
    server = start_server("-c", settings(first), "hello")

    with load(server, connections=4) as clients:
        settings(first, second)
        server.signal(signal.SIGHUP)
        server.wait_for_generation(2)
        with RawClient(str(second)) as client:
            assert 200 == client.ask().status
        settings(second)
        server.signal(signal.SIGHUP)
        server.wait_for_generation(3)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert not first.exists()
    with RawClient(str(second)) as client:
        assert 200 == client.ask().status


def test_an_address_that_is_taken_leaves_everything_as_it_was(start_server, settings, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("precious")
    server = start_server("-c", settings(tmp_path / "sock"), "hello")
    before = server.workers()

    settings(taken)
    server.signal(signal.SIGHUP)
    server.wait_for_log("the configuration in force stays: --bind unix:.*/taken: there is a file of that name")

    assert before == server.workers()


def test_an_abstract_socket_is_served(start_server):
    name = f"@greenserve-test-{os.getpid()}"
    server = start_server("hello", "--bind", f"unix:{name}", sockets=())

    server.wait_for_log(f"listening on unix:{name}")

    with RawClient(name.replace("@", "\0")) as client:
        assert 200 == client.ask().status
