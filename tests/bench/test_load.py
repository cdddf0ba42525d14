"""What a load has to show before it counts."""

import os
import socket
import subprocess
import time
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from bench.answers import Address, Answer, Expected, wait_until_it_answers
from bench.load import Visit, count_answers
from bench.match import check_each_is_logged
from bench.processes import ServerFault, read_clock

FAULTLESS = {"unconnected": 0, "unread": 0, "unsent": 0, "refused": 0, "late": 0}


def visit(answer: Answer, closing: bool = False) -> Visit:
    return Visit(None, Address("127.0.0.1", 1), b"", answer, depth=1, seconds=1, closing=closing)


def test_part_of_an_answer_counts_as_a_part() -> None:
    report = {"requests": 2, "bytes": 250, **FAULTLESS}

    assert 2.5 == count_answers(report, visit(Answer(200, b"", 100)), under_way=1)


@pytest.mark.parametrize("weight", [50, 200])
def test_answers_of_another_length_do_not_count(weight: int) -> None:
    report = {"requests": 1000, "bytes": 1000 * weight, **FAULTLESS}

    with pytest.raises(ServerFault, match=f"answers of {weight} bytes under load, and of 100 without"):
        count_answers(report, visit(Answer(200, b"", 100)), under_way=1)


@pytest.mark.parametrize("fault", FAULTLESS)
def test_one_error_is_one_too_many(fault: str) -> None:
    report = {"requests": 1000, "bytes": 100_000, **FAULTLESS, fault: 1}

    with pytest.raises(ServerFault, match=f"1 {fault}"):
        count_answers(report, visit(Answer(200, b"", 100)), under_way=1)


def test_no_answer_at_all_does_not_count() -> None:
    with pytest.raises(ServerFault, match="no answer"):
        count_answers({"requests": 0, "bytes": 0, **FAULTLESS}, visit(Answer(200, b"", 100)), under_way=64)


def test_end_of_a_connection_is_no_error_where_it_ends_the_answer() -> None:
    """wrk takes it for one, and does not count such an answer."""
    report = {"requests": 0, "bytes": 1000, **FAULTLESS, "unread": 10}

    assert 10 == count_answers(report, visit(Answer(200, b"", 100, until_close=True)), under_way=1)


def test_other_content_is_a_fault() -> None:
    with pytest.raises(ServerFault, match="2 wrong bytes"):
        Expected(b"ab", 2).check(Answer(200, b"ab", 100))


def test_other_status_is_a_fault() -> None:
    with pytest.raises(ServerFault, match="answered 404"):
        Expected(b"ab").check(Answer(404, b"ab", 100))


def test_fewer_lines_than_answers_are_a_fault(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("GET / 200\n" * 9)

    check_each_is_logged(9, log, tmp_path / "nothing")
    with pytest.raises(ServerFault, match="9 lines for 10 answers"):
        check_each_is_logged(10, log)


def test_processor_time_of_a_process_is_what_it_used() -> None:
    before = read_clock(os.getpid())

    assert 0 < before <= time.process_time()


def test_process_that_is_gone_uses_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()

    assert 0 == read_clock(process.pid)


def test_server_that_breaks_off_is_quoted() -> None:
    """Else all that is known of one that fails in its first request is that the connection was reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=lambda: listener.accept()[0].close()).start()
        address = Address(*listener.getsockname())
        server = SimpleNamespace(last_words=lambda: "something is missing")

        with pytest.raises(ServerFault, match="it said: something is missing"):
            wait_until_it_answers(server, address, b"GET / HTTP/1.1\r\n\r\n")
