import os
import socket

import pytest

from greenserve.master.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A service manager, and what NOTIFY_SOCKET says of it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@greenserve-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0", 1))
        manager.setblocking(False)
        yield manager, {"NOTIFY_SOCKET": address}


def test_ready_names_the_main_process_and_the_status(manager):
    socket, environ = manager

    Notifier(environ).tell_ready("generation 1: 4 workers ready")

    assert f"READY=1\nMAINPID={os.getpid()}\nSTATUS=generation 1: 4 workers ready".encode() == socket.recv(4096)


def test_a_status_never_makes_a_second_assignment(manager):
    socket, environ = manager

    Notifier(environ).tell_stopping("because\nREADY=1")

    assert b"STOPPING=1\nSTATUS=because READY=1" == socket.recv(4096)


def test_a_watchdog_is_fed_twice_as_often_as_it_barks(manager):
    socket, environ = manager
    notifier = Notifier({**environ, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())})

    times = [notifier.feed_watchdog(now) for now in (100.0, 101.0, 101.5, 101.6)]

    assert [101.5, 101.5, 103.0, 103.0] == times
    assert [b"WATCHDOG=1"] * 2 == [socket.recv(4096), socket.recv(4096)]
    with pytest.raises(BlockingIOError):
        socket.recv(4096)


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "many"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}],
)
def test_a_watchdog_of_nobody_or_of_another_process_is_not_fed(environ):
    assert Notifier(environ).feed_watchdog(100.0) is None


@pytest.mark.parametrize(
    "environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "relative"}, {"NOTIFY_SOCKET": "/nowhere/notify"}]
)
def test_nobody_listening_is_nothing(environ):
    Notifier(environ).tell_reloading("reloading")
