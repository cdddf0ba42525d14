"""Bytes in and out of one socket."""

import socket
from contextlib import closing

import pytest

from greenserve.status import Scoreboard
from greenserve.worker.readiness import LoopReadiness
from greenserve.worker.transport import FILE_PART, NOTSENT_LOWAT, Patience, Transport, skip
from greenserve.worker.wires import wires


@pytest.mark.parametrize(
    ("count", "rest"),
    [(0, b"abcdef"), (1, b"bcdef"), (2, b"cdef"), (3, b"def"), (5, b"f"), (6, b"")],
)
def test_what_the_kernel_took_is_skipped(count, rest):
    assert rest == b"".join(skip([b"ab", b"", b"c", b"def"], count))


def test_large_answers_are_not_copied_for_each_reader():
    block = b"x" * 1_000_000

    left = skip([b"head", block], 10)

    assert left[0].obj is block


def test_the_kernel_may_hold_more_of_a_large_file_than_of_what_follows(tmp_path):
    """TCP_NOTSENT_LOWAT saves memory for slow readers of other content, and makes a file take twice the time."""
    file = tmp_path / "file"
    file.write_bytes(bytes(FILE_PART + 1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT, 65536)
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    transport = Transport(wires.wrap(accepted), LoopReadiness(), Patience(1.0, 0, Scoreboard(1).row(0)))

    def limit():
        return transport.socket.getsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT)

    with closing(transport), client, file.open("rb") as opened:
        transport.send_file(opened.fileno(), 0, FILE_PART + 1)
        during = limit()
        transport.send(b"next")

        assert during > 65536
        assert 65536 == limit()


def test_negative_size_is_refused():
    theirs, ours = socket.socketpair()
    transport = Transport(wires.wrap(ours), LoopReadiness(), Patience(1.0, 0, Scoreboard(1).row(0)))

    with theirs, closing(transport), pytest.raises(ValueError, match="negative"):
        transport.receive_now(-1)
