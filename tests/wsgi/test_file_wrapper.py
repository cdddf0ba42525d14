"""Files as answers: what may go out unread, and how much of it."""

import gzip
import io
import os
import tempfile

import pytest

from greenserve.errors import ClientDisconnected
from greenserve.wsgi.file_wrapper import FILE_BLOCK, FileWrapper, find_rest
from tests.wsgi.exchanges import RecordingChannel, run

CONTENT = bytes(range(256)) * 1024
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


class FileChannel(RecordingChannel):
    """A connection that sends files in small parts, and counts how often it is asked."""

    def __init__(self, error=None):
        super().__init__(error=error)
        self.asked = 0

    def send_file(self, descriptor, offset, count):
        self.asked += 1
        block = os.pread(descriptor, min(count, 10_000), offset)
        self.sends.append(block)
        return len(block)


def send(file, fields=(), request=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", error=None):
    def application(environ, start_response):
        start_response("200 OK", list(fields))
        return FileWrapper(file)

    return run(application, request, channel=FileChannel(error))


# What is left of a file.


def test_rest_begins_where_the_file_stands(path):
    with path.open("rb") as file:
        file.read(100)

        assert (file.fileno(), 100, len(CONTENT) - 100) == find_rest(file)


def test_what_was_written_and_not_flushed_counts():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"abc")
        file.seek(1)

        assert (file.fileno(), 1, 2) == find_rest(file)


def test_only_plain_files_on_a_disk_have_a_rest(tmp_path, path):
    """A GzipFile has a descriptor, but of other bytes; /proc says that its files are empty; a pipe cannot be measured."""
    ends = os.pipe()
    with gzip.open(tmp_path / "packed", "wb") as packed:
        packed.write(CONTENT)

    with (
        gzip.open(tmp_path / "packed") as unpacked,
        path.open() as text,
        open("/proc/self/status", "rb") as made_up,
        open("/dev/zero", "rb") as device,
        open(ends[0], "rb") as reader,
        open(ends[1], "wb") as writer,
    ):
        odd = (unpacked, text, made_up, device, reader, writer, io.BytesIO(b"x"), object())
        assert [None] * len(odd) == [find_rest(file) for file in odd]


def test_closed_file_has_no_rest(path):
    file = path.open("rb")
    file.close()

    assert find_rest(file) is None


# Sending it.


def test_file_arrives_whole_with_its_length(path):
    outcome = send(path.open("rb"))

    assert str(len(CONTENT)) == outcome.fields["Content-Length"]
    assert outcome.content == CONTENT
    assert len(CONTENT) == outcome.exchange.sent
    assert outcome.exchange.persistent


def test_short_file_leaves_with_the_head(tmp_path):
    (tmp_path / "short").write_bytes(b"short")

    outcome = send((tmp_path / "short").open("rb"))

    assert (1, 0) == (len(outcome.sends), outcome.exchange._channel.asked)
    assert b"short" == outcome.content


def test_file_is_sent_from_where_it_stands(path):
    file = path.open("rb")
    file.seek(-100_000, os.SEEK_END)

    outcome = send(file)

    assert "100000" == outcome.fields["Content-Length"]
    assert outcome.content == CONTENT[-100_000:]


@pytest.mark.parametrize("length", [0, 10, FILE_BLOCK, FILE_BLOCK + 1])
def test_nothing_is_sent_past_the_content_length(path, length):
    """ "Transmission should begin at the current position and continue until the end, or Content-Length bytes" (PEP 3333)."""
    outcome = send(path.open("rb"), [("Content-Length", str(length))])

    assert outcome.content == CONTENT[:length]
    assert outcome.exchange.failure is None
    assert outcome.exchange.persistent


@pytest.mark.parametrize("length", [0, 5, 10])
def test_file_that_is_read_is_clipped_too(length):
    outcome = send(io.BytesIO(b"0123456789more"), [("Content-Length", str(length))])

    assert b"0123456789"[:length] == outcome.content
    assert outcome.exchange.persistent


def test_file_shorter_than_its_content_length_is_visibly_cut(path):
    outcome = send(path.open("rb"), [("Content-Length", str(len(CONTENT) + 1))])

    assert outcome.content == CONTENT
    assert not outcome.exchange.persistent
    assert "fewer than its Content-Length" in str(outcome.exchange.failure)


def test_head_gets_the_length_and_no_content(path):
    outcome = send(path.open("rb"), request=HEAD)

    assert (str(len(CONTENT)), b"") == (outcome.fields["Content-Length"], outcome.content)
    assert 1 == len(outcome.sends)


def test_compressed_file_is_sent_as_it_reads(tmp_path):
    with gzip.open(tmp_path / "packed", "wb") as packed:
        packed.write(b"unpacked")

    assert b"8\r\nunpacked\r\n0\r\n\r\n" == send(gzip.open(tmp_path / "packed")).content  # noqa: SIM115  # the exchange closes it


def test_text_file_is_500(path):
    outcome = send(io.StringIO("text"))

    assert "HTTP/1.1 500 Internal Server Error" == outcome.status
    assert "yielded str, not bytes" in str(outcome.exchange.failure)


def test_pipe_is_sent_to_its_end():
    ends = os.pipe()
    os.write(ends[1], b"piped")
    os.close(ends[1])

    assert b"5\r\npiped\r\n0\r\n\r\n" == send(open(ends[0], "rb")).content  # noqa: SIM115  # the exchange closes it


def test_file_after_write_is_read_in_its_turn(path):
    def application(environ, start_response):
        start_response("200 OK", [])(b"written")
        return FileWrapper(path.open("rb"), 1 << 20)

    outcome = run(application, channel=FileChannel())

    assert outcome.content == b"7\r\nwritten\r\n40000\r\n" + CONTENT + b"\r\n0\r\n\r\n"


def test_file_is_closed_whatever_happens(path):
    whole, cut = path.open("rb"), path.open("rb")

    send(whole)
    send(cut, error=ClientDisconnected("gone"))

    assert (True, True) == (whole.closed, cut.closed)
