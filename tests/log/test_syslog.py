"""Messages reach a daemon whatever it listens on, and nobody waits for it."""

import os
import socket

import pytest

from greenserve.config import SETTINGS
from greenserve.errors import ConfigError
from greenserve.kinds import Refused
from greenserve.log import Syslog, close_error_log, error_log, flush_error_log, open_access_log, open_error_log
from greenserve.log.syslog import FACILITIES, SyslogSocket


@pytest.fixture
def listen():
    """Return a socket that a daemon would have."""
    opened = []

    def open_one(family, kind, address):
        opened.append(socket.socket(family, kind))
        opened[-1].bind(address)
        opened[-1].settimeout(10)
        if kind == socket.SOCK_STREAM:
            opened[-1].listen()
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def daemon(listen, tmp_path):
    return listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(tmp_path / "log"))


def syslog_to(path, facility="user"):
    return Syslog(f"unix://{path}", facility, "greenserve.shop")


def test_record_is_one_message_with_its_priority(daemon, tmp_path):
    open_error_log("/dev/null", "info", syslog_to(tmp_path / "log", "local3"))

    error_log.warning("two\nlines")
    error_log.info("and %s", "a\nforged one")
    close_error_log()

    pid = os.getpid()
    assert f"<156>greenserve.shop.error: [{pid}] two#012lines" == daemon.recv(9000).decode()
    assert f"<158>greenserve.shop.error: [{pid}] and a\\x0aforged one" == daemon.recv(9000).decode()


def test_access_line_is_a_message(daemon, tmp_path):
    log = open_access_log(None, "", None, syslog_to(tmp_path / "log"))

    log.write("GET / 200")
    log.close()

    assert f"<14>greenserve.shop.access: [{os.getpid()}] GET / 200" == daemon.recv(9000).decode()


def test_message_that_is_too_long_is_cut(daemon, tmp_path):
    log = open_access_log(None, "", None, syslog_to(tmp_path / "log"))

    log.write("x" * 100_000)
    log.close()

    assert 8192 == len(daemon.recv(100_000))
    assert 0 == log.lost


def test_udp(listen):
    daemon = listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    target = SyslogSocket(f"udp://localhost:{daemon.getsockname()[1]}")

    target.write(b"<14>message\n")
    target.close()

    assert b"<14>message" == daemon.recv(9000)


@pytest.mark.parametrize("protocol", ["tcp", "unix", "unix without #stream"])
def test_stream_has_a_line_for_each_message(listen, protocol, tmp_path):
    if protocol == "tcp":
        daemon = listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{daemon.getsockname()[1]}"
    else:
        daemon = listen(socket.AF_UNIX, socket.SOCK_STREAM, str(tmp_path / "log"))
        address = f"unix://{tmp_path / 'log'}" + ("#stream" if protocol == "unix" else "")
    log = open_access_log(None, "", None, Syslog(address, "user", "greenserve.shop"))

    log.write("one")
    log.write("two")
    log.close()
    with daemon.accept()[0] as connection, connection.makefile("rb") as lines:
        ends = [line[-4:] for line in lines]

    assert [b"one\n", b"two\n"] == ends


def test_daemon_that_is_away_costs_lines_and_gets_those_that_come_when_it_is_back(listen, tmp_path, error_file):
    log = open_access_log(None, "", None, syslog_to(tmp_path / "log"))

    log.write("lost")
    log.write("lost")
    daemon = listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(tmp_path / "log"))
    log.write("kept")
    log.close()

    assert daemon.recv(9000).endswith(b"kept")
    assert 2 == log.lost
    text = error_file.read_text()
    assert 1 == text.count("cannot be written (No such file or directory): its lines are lost until it can")
    assert 1 == text.count("is written again, 2 lines were lost")


def test_error_log_says_once_that_it_does_not_reach_the_daemon(tmp_path):
    open_error_log(str(tmp_path / "error.log"), "info", syslog_to(tmp_path / "log"))

    for _ in range(3):
        error_log.info("ready")
        flush_error_log()
    close_error_log()

    text = (tmp_path / "error.log").read_text()
    assert 3 == text.count("ready")
    assert 1 == text.count("cannot be written (No such file or directory): what the server has to say is only in errorlog")


def test_error_log_says_how_many_lines_a_daemon_that_is_back_has_not_got(listen, tmp_path):
    open_error_log(str(tmp_path / "error.log"), "info", syslog_to(tmp_path / "log"))

    error_log.info("lost")
    flush_error_log()
    listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(tmp_path / "log"))
    error_log.info("kept")
    close_error_log()

    # The other one says that it is away.
    assert f"syslog unix://{tmp_path / 'log'} is written again, 2 lines were lost" in (tmp_path / "error.log").read_text()


def test_daemon_that_does_not_read_is_not_waited_for(daemon, tmp_path, error_file, monkeypatch):
    monkeypatch.setattr("greenserve.log.outflow.LAST_WORDS", 0.0)
    log = open_access_log(None, "", None, syslog_to(tmp_path / "log"))

    for _ in range(50_000):
        log.write("x" * 100)
    log.close()

    assert 0 < log.lost < 50_000
    assert "it is read too slowly" in error_file.read_text()


def test_host_that_is_not_known_is_a_configuration_error():
    with pytest.raises(ConfigError, match=r"syslog_addr 'udp://nowhere.invalid:514': host 'nowhere.invalid' is not known"):
        open_error_log("/dev/null", "info", Syslog("udp://nowhere.invalid:514", "user", "greenserve"))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("udp://logs", "udp://logs:514"),
        ("tcp://[::1]:99", "tcp://[::1]:99"),
        ("unix:///dev/log", "unix:///dev/log"),
        ("unix:///dev/log#stream", "unix:///dev/log#stream"),
    ],
)
def test_address(given, read):
    assert read == SETTINGS["syslog_addr"].kind.read(given)


@pytest.mark.parametrize(
    "given", ["logs:514", "udp://logs:0", "udp://logs:x", "unix://", "unix:///dev/log#seqpacket", "http://a"]
)
def test_address_that_is_none_is_refused(given):
    with pytest.raises(Refused, match="is not udp://HOST:PORT, tcp://"):
        SETTINGS["syslog_addr"].kind.read(given)


def test_every_facility_of_the_setting_has_a_number():
    assert set(SETTINGS["syslog_facility"].kind.words) == set(FACILITIES)
