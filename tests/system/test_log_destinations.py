"""A log may be moved, slow, full or gone: every request is answered, and every line is there or counted."""

import os
import pwd
import re
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client import RawClient
from tests.support.load import load
from tests.support.server import GREENSERVE

#: The whole of an access line; it begins no line of the error log.
PLAIN = ("--access-logformat", "%(U)s")


def count_lines(*paths):
    return sum(len(path.read_bytes().splitlines()) for path in paths)


def ask_often(server, times, *fields):
    """Ask *times* times on one connection; return the longest wait in seconds."""
    longest = 0.0
    with RawClient(server.address) as client:
        for _ in range(times):
            began = time.monotonic()
            assert 200 == client.ask("/", *fields).status
            longest = max(longest, time.monotonic() - began)
    return longest


@contextmanager
def reading(path):
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield reader
    finally:
        os.close(reader)


def read_available(reader):
    data = b""
    try:
        while piece := os.read(reader, 65536):
            data += piece
    except BlockingIOError:
        pass
    return data


def test_reader_that_stalls_holds_up_no_request_and_lost_lines_are_counted(start_server, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    server = start_server("hello", "--access-logfile", str(pipe), "--access-logformat", "%(a)s")
    long = "User-Agent: " + 4000 * "a"

    with reading(pipe) as reader:
        longest = ask_often(server, 500, long)
        server.wait_for_log(r"accesslog '.*' cannot be written \(it is read too slowly\)")
        read = b""
        while not (match := re.search(r"is written again, (\d+) lines were lost", server.log)):
            read += read_available(reader)
        server.stop()
        read += read_available(reader)

    assert longest < 0.5
    assert 500 == int(match[1]) + len(read.splitlines())
    assert {b"a" * 4000} == set(read.splitlines())
    assert 1 == server.log.count("cannot be written")


def test_full_disk_is_said_once_and_the_log_comes_back_by_itself(start_server, tmp_path):
    """The limit on the size of files stands for the disk: writing fails at it, until somebody makes room."""
    access = tmp_path / "access.log"
    command = ("prlimit", "--fsize=2003", *GREENSERVE)
    server = start_server("hello", "--access-logfile", str(access), "--access-logformat", "%(s)s", command=command)

    ask_often(server, 1000)
    full = access.read_bytes()
    os.truncate(access, 0)
    ask_often(server, 10)
    lost = int(server.wait_for_log(r"is written again, (\d+) lines were lost")[1])
    server.stop()

    assert 500 * b"200\n" + b"200" == full
    assert 1010 == 500 + lost + access.read_text().split().count("200")
    assert 1 == server.log.count("cannot be written (File too large)")


@pytest.mark.parametrize("flags", [(), ("--preload",)], ids=["each loads", "preloaded"])
def test_rotation_under_load_loses_no_line(start_server, tmp_path, flags):
    access = tmp_path / "access.log"
    server = start_server("hello", "--workers", "2", "--access-logfile", str(access), *PLAIN, *flags)

    with load(server) as clients:
        for number in range(1, 6):
            access.rename(tmp_path / f"access.log.{number}")
            server.signal(signal.SIGUSR1)
            server.wait_for_log("the logs are open anew", times=number)
            clients.wait_for_answers(50)
    server.stop()

    assert [] == clients.failures
    assert clients.answers == count_lines(*tmp_path.glob("access.log*"))
    assert 0 < count_lines(access)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_worker_that_was_root_opens_its_log_anew(start_server, room):
    """The directory is root's: the worker cannot make a file in it."""
    access = room / "access.log"
    server = start_server("hello", "--user", "nobody", "--access-logfile", str(access), *PLAIN)

    ask_often(server, 10)
    access.rename(room / "access.log.1")
    server.signal(signal.SIGUSR1)
    server.wait_for_log("the logs are open anew")
    ask_until(server, lambda: access.stat().st_size)
    server.stop()

    assert pwd.getpwnam("nobody").pw_uid == access.stat().st_uid
    assert "cannot be reopened" not in server.log


@pytest.fixture
def room():
    """A directory that everybody may look into, as pytest's are not."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield Path(path)


def ask_until(server, satisfied):
    while not satisfied():
        ask_often(server, 1)


def test_stop_under_load_leaves_a_line_for_each_answer(start_server, tmp_path):
    access = tmp_path / "access.log"
    server = start_server("hello", "--workers", "2", "--access-logfile", str(access), *PLAIN)

    with load(server) as clients:
        clients.wait_for_answers(100)
        server.stop(signal.SIGTERM)

    assert clients.answers == count_lines(access)


def test_application_that_exits_takes_no_line_with_it(start_server, tmp_path):
    access = tmp_path / "access.log"
    (tmp_path / "app.py").write_text(EXITS)
    server = start_server("app", "--access-logfile", str(access), *PLAIN, cwd=tmp_path)

    ask_often(server, 20)
    with RawClient(server.address) as client:
        client.send(b"GET /exit HTTP/1.1\r\nHost: a\r\n\r\n")
        client.receive_until_close()
    server.wait_for_log("is ready after", times=2)

    assert 20 == access.read_text().split().count("/")


EXITS = """
import os

def application(environ, start_response):
    if environ["PATH_INFO"] == "/exit":
        os._exit(7)
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def test_error_log_that_nobody_reads_stops_neither_master_nor_worker(start_server, tmp_path):
    """Each request is logged with a long line, to a pipe without a reader."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    server = start_server("broken", "--error-logfile", str(pipe))

    with RawClient(server.address) as client:
        for _ in range(40):
            client.ask("/raises?" + 4000 * "x")
    for number in range(2, 5):
        server.signal(signal.SIGHUP)
        server.wait_for_generation(number)

    assert 0 == server.stop()


PRINTS = """
import os

def application(environ, start_response):
    print("printed", environ["PATH_INFO"])
    os.system("echo echoed >&2")
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def test_what_is_printed_goes_to_the_error_log_s_file_and_follows_it(start_server, tmp_path):
    (tmp_path / "app.py").write_text(PRINTS)
    errors, moved = tmp_path / "error.log", tmp_path / "error.log.1"
    flags = ("--capture-output", "--error-logfile", str(errors), "--access-logfile", "-", *PLAIN)
    server = start_server("app", *flags, cwd=tmp_path)

    with RawClient(server.address) as client:
        client.ask("/before")
        errors.rename(moved)
        os.kill(server.workers()[0], signal.SIGUSR1)
        ask_until(server, lambda: errors.exists() and "echoed" in errors.read_text())
    server.stop()

    assert "printed /before\nechoed\n" in moved.read_text()
    assert "printed /\nechoed\n" in errors.read_text()
    assert "/before\n/\n" in server.log
    assert "printed" not in server.log
