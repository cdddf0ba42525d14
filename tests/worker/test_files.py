"""Files that the kernel sends: to the byte, to slow readers, and not at the cost of others."""

import errno
import os

import gevent
import pytest

from greenserve.worker import transport
from greenserve.wsgi.file_wrapper import FileWrapper

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SIZE = 3_000_001


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def sends(monkeypatch):
    """Return the list of how many bytes each sendfile() took."""
    taken = []
    sendfile = os.sendfile

    def record(*arguments):
        taken.append(sendfile(*arguments))
        return taken[-1]

    monkeypatch.setattr(transport.os, "sendfile", record)
    return taken


def file_at(path):
    def application(environ, start_response):
        start_response("200 OK", [])
        return FileWrapper(path.open("rb"))

    return application


def content_of(answer):
    return answer.partition(b"\r\n\r\n")[2]


def test_slow_reader_gets_every_byte_from_the_kernel(serve, path, sends):
    client = serve(file_at(path))
    received = bytearray()

    client.send(LAST)
    while piece := client.socket.recv(50_000):
        received += piece
        gevent.sleep(0)

    assert content_of(received) == path.read_bytes()
    assert SIZE - 65536 == sum(sends)


def test_next_request_follows_a_file(serve, path):
    client = serve(file_at(path))

    client.send(GET + LAST)
    answers = client.receive()

    first, second = answers.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert content_of(first) == content_of(second) == path.read_bytes()


def test_files_are_read_where_sendfile_is_switched_off(serve, path, sends):
    client = serve(file_at(path), sendfile=False)

    client.send(LAST)

    assert content_of(client.receive()) == path.read_bytes()
    assert [] == sends


def test_files_are_read_where_the_kernel_cannot_send_them(serve, path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(transport.os, "sendfile", refuse)
    client = serve(file_at(path))

    client.send(LAST)

    assert content_of(client.receive()) == path.read_bytes()


def test_file_that_shrinks_meanwhile_is_visibly_cut(serve, path):
    client = serve(file_at(path))

    client.send(GET)
    head = client.socket.recv(1000)
    os.truncate(path, 1_000_000)
    answer = head + client.receive()

    assert b"Content-Length: %d\r\n" % SIZE in answer
    assert 1_000_000 <= len(content_of(answer)) < SIZE


def test_reader_that_stops_is_given_up_and_the_file_closed(serve, path, stage):
    opened = []

    def application(environ, start_response):
        opened.append(path.open("rb"))
        start_response("200 OK", [])
        return FileWrapper(opened[0])

    client = serve(application, write_timeout=0.05)

    client.send(GET)
    gevent.joinall(stage.greenlets, timeout=10)

    assert opened[0].closed
    assert 1 == stage.row["deadlines_write"]
    assert len(client.receive()) < SIZE


def test_reader_that_leaves_ends_the_answer_without_a_traceback(serve, path, stage, caplog):
    client = serve(file_at(path))

    client.send(GET)
    client.socket.recv(1000)
    client.socket.close()
    gevent.joinall(stage.greenlets, timeout=10)

    assert [] == caplog.records
