"""Real sockets on the loopback and in a temporary directory."""

import errno
import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from greenserve.errors import ConfigError
from greenserve.kinds import Address
from greenserve.master.listener import LONGEST_PATH, Manner, close_listeners, open_listeners, resolve, take_passed_listeners
from greenserve.master.occupant import find_occupant

LOCAL = Address("tcp", "127.0.0.1", 0)


@pytest.fixture
def listen():
    """Open addresses, and close them with the test."""
    opened = []

    def open_all(*addresses, **options):
        listeners = open_listeners(addresses, Manner(16, **options))
        opened.extend(listeners)
        return listeners

    yield open_all
    close_listeners(opened)


def unix(path):
    return Address("unix", path=str(path))


def call(listener):
    unix = listener.socket.family == socket.AF_UNIX
    with socket.socket(listener.socket.family, socket.SOCK_STREAM) as caller:
        caller.connect(listener.address.path.replace("@", "\0") if unix else listener.socket.getsockname())


# TCP.


def test_each_address_is_opened_and_named_by_its_url(listen, tmp_path):
    listeners = listen(LOCAL, Address("tcp", "::1", 0), unix(tmp_path / "sock"))

    ports = [listener.socket.getsockname()[1] for listener in listeners[:2]]
    assert [f"http://127.0.0.1:{ports[0]}", f"http://[::1]:{ports[1]}", f"unix:{tmp_path}/sock"] == [
        each.url(tls=False) for each in listeners
    ]
    for listener in listeners:
        call(listener)


@pytest.mark.security("fd hygiene (CLOEXEC)")
def test_a_listener_is_shared_by_forks_only_and_never_blocks(listen):
    (listener,) = listen(LOCAL)

    assert not listener.socket.get_inheritable()
    assert not listener.socket.getblocking()
    assert listener.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_all_interfaces_of_ipv6_serve_ipv4_too(listen):
    (listener,) = listen(Address("tcp", "::", 0))

    with socket.create_connection(("127.0.0.1", listener.socket.getsockname()[1])):
        pass


def test_all_interfaces_of_ipv6_are_served_alone_if_that_is_asked_for(listen):
    (listener,) = listen(Address("tcp", "::", 0), ipv6_only=True)
    port = listener.socket.getsockname()[1]

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
    with socket.create_connection(("::1", port)):
        pass


def test_all_interfaces_of_both_can_be_asked_for_side_by_side(listen):
    (first,) = listen(Address("tcp", "0.0.0.0", 0))
    port = first.socket.getsockname()[1]
    first.close()

    assert 2 == len(listen(Address("tcp", "0.0.0.0", port), Address("tcp", "::", port)))


def test_a_name_is_every_address_it_has_ipv4_first():
    assert [(socket.AF_INET, "127.0.0.1")] == resolve(Address("tcp", "localhost", 80))[:1]


def test_the_addresses_of_a_name_share_a_port(listen):
    ports = {listener.socket.getsockname()[1] for listener in listen(Address("tcp", "localhost", 0))}

    assert 1 == len(ports)


def test_a_port_in_use_is_refused_with_who_uses_it(listen):
    (listener,) = listen(LOCAL)
    port = listener.socket.getsockname()[1]
    address = Address("tcp", "127.0.0.1", port)

    assert f"pid {os.getpid()} (" in find_occupant(port)
    with pytest.raises(ConfigError, match=rf"--bind 127\.0\.0\.1:{port} is already in use by this very server"):
        listen(address)


def test_nobody_is_accused_of_a_port_that_is_free(listen):
    (listener,) = listen(LOCAL)
    port = listener.socket.getsockname()[1]
    listener.close()

    assert find_occupant(port) is None


def test_an_address_of_another_machine_is_refused(listen):
    with pytest.raises(ConfigError, match=r"--bind 192\.0\.2\.1:8000: this machine has no address 192\.0\.2\.1"):
        listen(Address("tcp", "192.0.2.1", 8000))


def test_when_one_address_is_refused_all_are_closed(tmp_path):
    (tmp_path / "file").write_text("precious")

    with pytest.raises(ConfigError):
        open_listeners([unix(tmp_path / "sock"), unix(tmp_path / "file")], Manner())

    assert not (tmp_path / "sock").exists()


# Unix sockets.


def test_the_mode_of_a_unix_socket_is_of_the_umask(listen, tmp_path):
    before = os.umask(0o022)
    os.umask(before)

    listen(unix(tmp_path / "sock"), umask=0o117)

    assert 0o660 == stat.S_IMODE((tmp_path / "sock").stat().st_mode)
    assert before == os.umask(before), "the umask of the process is as it was"


def test_the_socket_of_a_server_that_is_gone_is_replaced(listen, tmp_path):
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(tmp_path / "sock"))

    (listener,) = listen(unix(tmp_path / "sock"))

    call(listener)


def test_while_it_is_replaced_nobody_finds_no_file(tmp_path):
    """Who connects is refused, as by the server that is gone, or served."""
    path, over = tmp_path / "sock", Event()
    (listener,) = open_listeners([unix(path)], Manner())

    with ThreadPoolExecutor(1) as caller:
        refusals = caller.submit(refusals_until, over, str(path))
        for _ in range(500):
            listener.close(keep_file=True)
            (listener,) = open_listeners([unix(path)], Manner())
        over.set()
    # Which removes the file, so not before the caller has ended.
    listener.close()

    assert refusals.result() <= {errno.ECONNREFUSED}
    assert [] == os.listdir(tmp_path)


def refusals_until(over, path):
    """Connect again and again, and return what was wrong."""
    found = set()
    while not over.is_set():
        with socket.socket(socket.AF_UNIX) as caller:
            found.add(caller.connect_ex(path))
    return found - {0}


def test_a_socket_with_a_name_too_long_for_another_beside_it_is_replaced_too(listen, tmp_path):
    path = tmp_path / ("x" * (LONGEST_PATH - len(str(tmp_path)) - 1))
    (gone,) = open_listeners([unix(path)], Manner())
    gone.close(keep_file=True)

    (listener,) = listen(unix(path))

    call(listener)
    assert [path.name] == os.listdir(tmp_path)


def test_a_socket_that_cannot_be_given_away_leaves_the_old_file(tmp_path, monkeypatch):
    (gone,) = open_listeners([unix(tmp_path / "sock")], Manner())
    gone.close(keep_file=True)
    monkeypatch.setattr(os, "chown", lambda *_: os.rmdir(tmp_path / "sock"))

    with pytest.raises(ConfigError, match="cannot be given to user 12, group 34"):
        open_listeners([unix(tmp_path / "sock")], Manner(owner=(12, 34)))

    assert ["sock"] == os.listdir(tmp_path)


def test_the_socket_of_a_server_that_lives_is_respected(listen, tmp_path):
    (living,) = listen(unix(tmp_path / "sock"))

    with pytest.raises(ConfigError, match="already in use: a server answers on it"):
        listen(unix(tmp_path / "sock"))

    call(living)


def test_a_file_that_is_no_socket_is_never_deleted(listen, tmp_path):
    (tmp_path / "file").write_text("precious")

    with pytest.raises(ConfigError, match="a file of that name which is not a socket"):
        listen(unix(tmp_path / "file"))

    assert "precious" == (tmp_path / "file").read_text()


def test_a_path_that_cannot_be_is_refused(listen, tmp_path):
    with pytest.raises(ConfigError, match="was refused"):
        listen(unix(tmp_path / "nowhere" / "sock"))
    with pytest.raises(ConfigError, match="too long"):
        listen(unix(tmp_path / ("x" * 200)))


def test_the_file_is_removed_by_who_made_it(tmp_path):
    (listener,) = open_listeners([unix(tmp_path / "sock")], Manner())

    listener.close()

    assert [] == os.listdir(tmp_path)


def test_the_file_of_a_successor_stays(listen, tmp_path):
    (first,) = listen(unix(tmp_path / "sock"))
    os.rename(tmp_path / "sock", tmp_path / "moved")
    (second,) = listen(unix(tmp_path / "sock"))

    first.close()

    call(second)


def test_two_servers_that_start_at_once_do_not_take_a_socket_from_each_other(listen, tmp_path):
    """Who looks for a stale file while another binds would take what does not answer yet for stale."""
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(tmp_path / "sock"))

    with ThreadPoolExecutor(4) as servers:
        tries = [servers.submit(listen, unix(tmp_path / "sock")) for _ in range(4)]
        refusals = [str(each.exception()) for each in tries if each.exception()]

    assert 3 == len([refusal for refusal in refusals if "a server answers on it" in refusal])


def test_a_name_without_a_file_is_listened_on(listen):
    name = Address("unix", path=f"@greenserve-{os.getpid()}")

    (listener,) = listen(name)

    assert f"unix:{name.path}" == listener.url(tls=False)
    call(listener)
    with pytest.raises(ConfigError, match="already in use"):
        listen(name)


# A port that several servers share.


def test_a_port_is_shared_by_those_who_all_ask_to(listen):
    (first,) = listen(LOCAL, reuse_port=True)
    shared = Address("tcp", "127.0.0.1", first.socket.getsockname()[1])

    (second,) = listen(shared, reuse_port=True)

    assert first.name == second.name
    with pytest.raises(ConfigError, match="already in use"):
        listen(shared)


# Sockets that somebody else made.


def test_a_descriptor_is_taken_as_it_is(listen):
    with socket.create_server(("127.0.0.1", 0)) as made:
        (listener,) = listen(Address("fd", fd=os.dup(made.fileno())))

        assert made.getsockname() == listener.socket.getsockname()
        assert not listener.socket.getblocking()


def test_a_descriptor_that_only_is_bound_listens_then(listen):
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        (listener,) = listen(Address("fd", fd=os.dup(made.fileno())))

    call(listener)


def test_a_descriptor_that_is_no_listener_is_refused(listen, tmp_path):
    with open(tmp_path / "file", "w") as file, pytest.raises(ConfigError, match="is not a socket"):
        listen(Address("fd", fd=file.fileno()))
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(ConfigError, match="not a stream socket"):
        listen(Address("fd", fd=datagrams.fileno()))


def test_passed_sockets_are_for_the_process_they_name_only():
    environ = {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1", "PATH": "/bin"}

    assert [] == take_passed_listeners(environ)
    assert {"PATH": "/bin"} == environ


@pytest.mark.parametrize("number", ["", "many", "-1", "0"])
def test_a_number_of_passed_sockets_that_is_none_is_nothing(number):
    assert [] == take_passed_listeners({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": number})
