"""What one master leaves to another, without either of them."""

import os
import socket

import pytest

from greenserve.kinds import Address
from greenserve.mailbox import Ready, open_mailboxes
from greenserve.master.listener import Listener
from greenserve.master.succession import VARIABLE, find_directory, leave_estate, take_estate


def duplicate(made):
    """Return what the heir gets: the same socket, as another process would have it."""
    return socket.socket(fileno=os.dup(made.fileno()))


def test_an_estate_is_found_by_whom_it_was_left_to():
    address, file = Address("unix", path="/run/sock"), ("/run/sock", 1, 2)
    ours, theirs = open_mailboxes()
    with socket.create_server(("127.0.0.1", 0)) as made, ours._end, theirs._end:
        listeners = [Listener(duplicate(made), address, file), Listener(duplicate(made))]
        environ = {VARIABLE: leave_estate(17, ours, listeners), "PATH": "/bin"}

        estate = take_estate(environ)

        assert estate is not None
        assert (17, [address, None], [file, None]) == (
            estate.pid,
            [each.address for each in estate.listeners],
            [each.file for each in estate.listeners],
        )
        assert not estate.listeners[0].socket.get_inheritable()
        assert {"PATH": "/bin"} == environ
        theirs.send(Ready(1.0))
        assert [Ready(1.0)] == estate.mailbox.receive()
        for one in listeners:
            one.socket.detach()
        for each in estate.listeners:
            each.socket.close()
        estate.mailbox._end.detach()


def test_what_was_left_to_another_process_is_not_ours():
    """A program that a master's hook starts must not think that it is a greenserve's heir."""
    environ = {VARIABLE: f"[{os.getpid() + 1}, 17, 3, []]"}

    assert take_estate(environ) is None
    assert {} == environ


@pytest.mark.parametrize("text", ["", "{", "17", "[1, 2]", '"words"'])
def test_what_makes_no_sense_is_no_estate(text):
    assert take_estate({VARIABLE: text}) is None


def test_a_link_to_the_release_is_followed_anew(tmp_path, monkeypatch):
    (tmp_path / "release-1").mkdir()
    (tmp_path / "current").symlink_to("release-1")
    monkeypatch.chdir(tmp_path / "current")
    monkeypatch.setenv("PWD", str(tmp_path / "current"))

    assert str(tmp_path / "current") == find_directory()


def test_a_directory_that_the_shell_called_otherwise_is_asked_from_the_system(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", "/")

    assert str(tmp_path) == find_directory()
