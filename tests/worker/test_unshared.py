"""What is found of connections. The rest is tried by tests/system/test_preload.py, in a process that has nothing else."""

import socket

import pytest

from greenserve.worker.unshared import find_connections, find_sockets


@pytest.fixture
def connected():
    """A connection over TCP, and the address of its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        host, port = listener.getsockname()
        yield f"a connection to {host}:{port}"


def test_new_connection_is_found_by_its_peer(connected):
    assert connected in list(find_connections(()))


def test_connection_that_was_there_before_is_ours(connected):
    """Under systemd stdout and stderr are connections to the journal."""
    assert connected not in list(find_connections(find_sockets()))


def test_pair_without_an_address_is_not_named():
    before = find_sockets()

    one, other = socket.socketpair()

    with one, other:
        assert [] == list(find_connections(before))
