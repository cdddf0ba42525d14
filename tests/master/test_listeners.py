"""What a reload does to the listeners. Real sockets on the loopback."""

import os
import socket
import stat
from contextlib import closing

import pytest

from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.kinds import Address
from greenserve.master.listener import Listener
from greenserve.master.listeners import Listeners

LOCAL = Address("tcp", "127.0.0.1", 0)
OTHER = Address("tcp", "::1", 0)


def configure(*addresses, **settings):
    return Config(wsgi_app="app", bind=addresses, **settings)


@pytest.fixture
def begin():
    """Return listeners of a first generation, closed with the test."""
    begun = []

    def begin(*addresses, found=(), bind_given=True):
        begun.append(Listeners(found, bind_given))
        change(begun[-1], 1, *addresses)
        return begun[-1]

    yield begin
    for listeners in begun:
        listeners.close()


def change(listeners, generation, *addresses):
    listeners.assign(generation, listeners.open(configure(*addresses)), 16)


def names(listeners):
    return [listener.name for listener in listeners]


def test_a_listener_that_stays_is_left_alone(begin):
    listeners = begin(LOCAL)
    before = listeners.current

    change(listeners, 2, LOCAL, OTHER)

    assert before == listeners.current[:1]
    assert 2 == len(listeners.current)
    assert before == listeners.of(1)


def test_a_listener_not_wanted_any_more_is_open_until_the_new_generation_is_settled(begin, tmp_path):
    path = tmp_path / "sock"
    listeners = begin(LOCAL, Address("unix", path=str(path)))
    change(listeners, 2, LOCAL)
    (gone,) = set(listeners.all()) - set(listeners.current)
    assert gone.socket.fileno() != -1

    closed = listeners.keep(2)

    assert [f"unix:{path}"] == closed
    assert -1 == gone.socket.fileno()
    assert not path.exists()
    assert 1 == len(listeners.all())


def test_what_an_abandoned_generation_would_have_had_is_closed(begin):
    listeners = begin(LOCAL)
    before = listeners.current
    change(listeners, 2, OTHER, LOCAL)

    listeners.abandon(2)

    assert before == listeners.current == listeners.all()
    assert before[0].socket.fileno() != -1


@pytest.mark.parametrize(("settings", "mode"), [({"unix_mode": 0o640}, 0o640), ({"umask": 0o117}, 0o660)])
def test_unix_sockets_have_the_mode_that_is_asked_for_or_the_one_of_the_umask(begin, tmp_path, settings, mode):
    path = tmp_path / "sock"
    listeners = begin(LOCAL)

    listeners.assign(2, listeners.open(configure(Address("unix", path=str(path)), **{"umask": 0o022} | settings)), 16)

    assert mode == stat.S_IMODE(path.stat().st_mode)


def test_an_address_that_cannot_be_had_changes_nothing(begin):
    listeners = begin(LOCAL)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("tcp", *taken.getsockname())

        with pytest.raises(ConfigError, match="already in use"):
            listeners.open(configure(OTHER, address))

    assert 1 == len(listeners.all())


def test_a_passed_socket_outlives_every_reload(begin):
    passed = Listener(socket.create_server(("127.0.0.1", 0)))
    listeners = begin(LOCAL, found=[passed], bind_given=False)

    change(listeners, 2, LOCAL)
    listeners.keep(2)

    assert [passed] == listeners.current


def test_a_descriptor_cannot_be_handed_to_a_server_that_runs(begin):
    listeners = begin(LOCAL)

    with closing(socket.create_server(("127.0.0.1", 0))) as other, pytest.raises(ConfigError, match="is for the start"):
        listeners.open(configure(Address("fd", fd=other.fileno())))


def test_files_that_somebody_goes_on_with_are_kept(begin, tmp_path):
    listeners = begin(Address("unix", path=str(tmp_path / "sock")))
    listeners.keep_files = True

    listeners.close()

    assert ["sock"] == os.listdir(tmp_path)
