"""Lines reach a destination whole and in order, or are counted; nobody waits for it."""

import fcntl
import os
import socket

import pytest

from greenserve.log.file import LogFile
from greenserve.log.outflow import GATHERED, KEPT, Outflow

LINE = b"0123456789abcde\n"


class Turns:
    """A loop that turns when the test says so."""

    def __init__(self):
        self.due = []

    def schedule(self, callback):
        self.due.append(callback)

    def turn(self):
        due, self.due = self.due, []
        for callback in due:
            callback()


class Notes:
    def __init__(self):
        self.losses = []
        self.recoveries = []


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def pipe():
    """A named pipe, and its reading end, which does not wait."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 65536)
    yield reader, f"/proc/self/fd/{writer}"
    for end in (reader, writer):
        os.close(end)


def read_all(descriptor):
    data = b""
    try:
        while piece := os.read(descriptor, 65536):
            data += piece
    except BlockingIOError:
        pass
    return data


def open_outflow(path, notes, schedule=None):
    return Outflow(LogFile(str(path), None), schedule, notes.losses.append, notes.recoveries.append)


def test_lines_of_one_turn_are_written_together(tmp_path, notes):
    turns, path = Turns(), tmp_path / "log"
    outflow = open_outflow(path, notes, turns.schedule)

    outflow.add(b"one\n")
    outflow.add(b"two\n")
    before = path.read_bytes()
    asked = len(turns.due)
    turns.turn()

    assert b"" == before
    assert 1 == asked
    assert b"one\ntwo\n" == path.read_bytes()


def test_many_lines_do_not_wait_for_the_turn(tmp_path, notes):
    turns, path = Turns(), tmp_path / "log"
    outflow = open_outflow(path, notes, turns.schedule)

    for _ in range(GATHERED // len(LINE) + 1):
        outflow.add(LINE)

    assert GATHERED < path.stat().st_size


def test_what_a_slow_reader_does_not_take_is_kept_in_order(pipe, notes):
    reader, path = pipe
    outflow = open_outflow(path, notes)
    lines = [b"%06d\n" % number for number in range(20_000)]

    for line in lines:
        outflow.add(line)
    read = read_all(reader)
    while outflow.pending:
        outflow.flush()
        read += read_all(reader)

    assert lines == read.splitlines(keepends=True)
    assert ([], []) == (notes.losses, notes.recoveries)


def test_what_is_too_much_to_keep_is_counted_and_said_once(pipe, notes):
    reader, path = pipe
    outflow = open_outflow(path, notes)
    count = 2 * KEPT // len(LINE)

    for _ in range(count):
        outflow.add(LINE)
    read = read_all(reader)
    while outflow.pending:
        outflow.flush()
        read += read_all(reader)

    assert 0 < outflow.lost
    assert count == outflow.lost + read.count(LINE)
    assert ["it is read too slowly"] == notes.losses
    assert [outflow.lost] == notes.recoveries


def test_lines_of_a_pipe_stay_whole_beside_another_writer_s(pipe, notes):
    """What is written at once is no more than PIPE_BUF, which is taken whole or not at all."""
    reader, path = pipe
    turns = Turns()
    one, other = (open_outflow(path, notes, turns.schedule) for _ in range(2))
    lengths = [10, 700, 3000, 90, 4000]

    for number in range(200):
        for outflow, letter in ((one, b"a"), (other, b"b")):
            outflow.add(letter * lengths[number % len(lengths)] + b"\n")
    read = b""
    while one.pending or other.pending:
        one.flush()
        other.flush()
        read += read_all(reader)

    assert 400 == len(read.splitlines())
    assert all(len(set(line)) == 1 for line in read.splitlines())


def test_last_lines_are_written_at_the_end(pipe, notes):
    reader, path = pipe
    turns = Turns()
    outflow = open_outflow(path, notes, turns.schedule)

    outflow.add(LINE)
    outflow.close()

    assert LINE == read_all(reader)


def test_end_does_not_wait_for_a_reader_that_does_not_read(pipe, notes, monkeypatch):
    _, path = pipe
    outflow = open_outflow(path, notes)
    monkeypatch.setattr("greenserve.log.outflow.LAST_WORDS", 0.01)

    for _ in range(10_000):
        outflow.add(LINE)
    outflow.close()

    assert ["it is read too slowly"] == notes.losses
    assert 10_000 - 65536 // len(LINE) == outflow.lost


def test_line_after_the_end_is_counted_and_nothing_is_said(tmp_path, notes):
    outflow = open_outflow(tmp_path / "log", notes)

    outflow.close()
    outflow.add(LINE)

    assert (1, []) == (outflow.lost, notes.losses)


def test_named_pipe_needs_no_reader_at_the_start(tmp_path, notes):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    outflow = open_outflow(path, notes)

    outflow.add(LINE)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    read = read_all(reader)
    os.close(reader)
    outflow.close()

    assert LINE == read


def test_full_disk_loses_lines_and_no_time(notes):
    outflow = open_outflow("/dev/full", notes)

    for _ in range(3):
        outflow.add(LINE)

    assert 3 == outflow.lost
    assert ["No space left on device"] == notes.losses


def test_flush_of_nothing_is_no_recovery(notes):
    outflow = open_outflow("/dev/full", notes)

    outflow.add(LINE)
    outflow.flush()

    assert [] == notes.recoveries


def test_forked_process_leaves_the_lines_that_wait_to_its_parent(tmp_path, notes):
    turns, path = Turns(), tmp_path / "log"
    outflow = open_outflow(path, notes, turns.schedule)
    outflow.add(b"the parent's\n")

    if (pid := os.fork()) == 0:
        outflow.add(b"the child's\n")
        outflow.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    outflow.flush()

    assert b"the child's\nthe parent's\n" == path.read_bytes()


def waits(descriptor):
    return not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK


@pytest.fixture
def as_stdout(monkeypatch):
    """Make a descriptor the process's stdout."""

    class Stream:
        def fileno(self):
            return self.descriptor

    stream = Stream()
    monkeypatch.setattr("sys.__stdout__", stream)

    def become(descriptor):
        stream.descriptor = descriptor
        return LogFile("/dev/stdout", None)

    return become


def make_sockets():
    return tuple(end.detach() for end in socket.socketpair())


def refuse(*_):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("make", "open_again"),
    [(os.pipe, os.open), (os.pipe, refuse), (os.openpty, os.open), (make_sockets, os.open)],
    ids=["pipe", "pipe that is not ours", "terminal", "socket"],
)
def test_standard_stream_neither_waits_nor_is_changed(make, open_again, as_stdout, notes, monkeypatch):
    """O_NONBLOCK would reach everybody who shares the stream: the shell, the container, the other workers."""
    reader, writer = make()
    monkeypatch.setattr("greenserve.log.channel.os.open", open_again)
    outflow = Outflow(as_stdout(writer), None, notes.losses.append)

    while not outflow.lost:
        outflow.add(LINE * 100)

    assert ["it is read too slowly"] == notes.losses
    assert waits(writer)
    assert os.read(reader, 16).startswith(LINE[:15])
    monkeypatch.undo()
    monkeypatch.setattr("greenserve.log.outflow.LAST_WORDS", 0.0)
    outflow.close()
    os.close(reader)
    os.close(writer)
