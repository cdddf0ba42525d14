import os
import re
import subprocess
import sys

import pytest

from greenserve.errors import ConfigError
from greenserve.log import close_error_log, error_log, open_error_log, reopen_error_log, write_error_text
from greenserve.log.error import open_error_logs


def test_record_is_laid_out_as_gunicorn_does(error_file):
    error_log.info("worker %d is ready", 3)

    pattern = rf"\[\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d [+]0000\] \[{os.getpid()}\] \[INFO\] worker 3 is ready\n"
    assert re.fullmatch(pattern, error_file.read_text())


def test_level_is_the_least_that_is_written(error_file):
    error_log.debug("not this")
    error_log.warning("this")

    assert "not this" not in error_file.read_text()
    assert "[WARNING] this\n" in error_file.read_text()


def test_argument_stays_on_its_line(error_file):
    error_log.info("client sent %s and %r", "a\n[2026] \x1b[2J\x9b", ValueError("b\u2028"))
    error_log.info("client sent %(what)s", {"what": "c\r\nd"})

    first, second, rest = error_file.read_text().split("\n")
    assert first.endswith(r"client sent a\x0a[2026] \x1b[2J\x9b and ValueError('b\u2028')")
    assert second.endswith(r"client sent c\x0d\x0ad")
    assert "" == rest


def test_screen_keeps_its_lines(error_file):
    error_log.error("headline\n\n  File 'shöp.py'\n\tadvice")

    assert error_file.read_text().endswith("headline\n\n  File 'shöp.py'\n    advice\n")


def test_traceback_is_written_and_cannot_pose_as_a_record(error_file):
    try:
        raise ValueError("bad\n[2026-11-20 10:00:00 +0000] [1] [INFO] all is well\x1b[2J")
    except ValueError:
        error_log.exception("request failed")

    text = error_file.read_text()
    assert "Traceback (most recent call last):\n" in text
    assert "ValueError: bad\n [2026-11-20 10:00:00 +0000] [1] [INFO] all is well\\x1b[2J\n" in text
    assert 1 == len(re.findall(r"(?m)^\[", text))


class Unspeakable:
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize("arguments", [("%s", Unspeakable()), ("%d", "seven"), ("%s %s", 1), (Unspeakable(),)])
def test_message_that_cannot_be_written_is_replaced(error_file, arguments, monkeypatch):
    # pytest's own handlers, which would raise, look away.
    monkeypatch.setattr(error_log, "handlers", open_error_logs())

    error_log.error(*arguments)

    assert "a message that cannot be written" in error_file.read_text()


def test_surrogates_of_a_path_are_written(error_file):
    error_log.error("no module \udcff")

    assert r"no module \udcff" in error_file.read_text()


def test_text_of_the_application_is_written_as_it_is_but_for_terminal_codes(error_file):
    write_error_text("one\n  two\x1b[2J\n")

    assert "one\n  two\\x1b[2J\n" == error_file.read_text()


def test_error_log_that_was_moved_is_opened_anew_without_losing_a_line(error_file, tmp_path):
    moved = tmp_path / "error.log.1"

    error_log.info("one")
    error_file.rename(moved)
    error_log.info("two")
    reopen_error_log()
    error_log.info("three")

    assert ["one", "two"] == [line.rpartition(" ")[2] for line in moved.read_text().splitlines()]
    assert ["three"] == [line.rpartition(" ")[2] for line in error_file.read_text().splitlines()]


def test_error_log_that_cannot_be_opened_leaves_the_old_one(error_file, tmp_path):
    with pytest.raises(ConfigError, match="errorlog"):
        open_error_log(str(tmp_path / "none" / "log"))

    error_log.info("still here")

    assert "still here" in error_file.read_text()


def test_record_goes_to_one_log_however_often_it_is_opened(error_file, tmp_path):
    open_error_log(str(tmp_path / "second.log"))

    error_log.info("once")

    assert "" == error_file.read_text()
    assert 1 == (tmp_path / "second.log").read_text().count("once")


def test_full_disk_under_the_error_log_is_survived():
    open_error_log("/dev/full")

    error_log.error("lost")

    close_error_log()


def test_logging_waits_for_no_lock(error_file):
    """A lock that another greenlet, or the parent of a fork, holds would stop us."""
    locks = [handler.lock for handler in open_error_logs()]

    assert [None] == locks
    assert not error_log.propagate


def test_closed_standard_error_is_never_mistaken_for_the_file_that_took_its_number(tmp_path):
    """With stderr closed the next file opened, perhaps a client's connection, is number 2."""
    program = """
import os
from greenserve.log import error_log, open_error_log
victim = os.open("victim", os.O_CREAT | os.O_WRONLY)
assert victim == 2, victim
open_error_log("-")
error_log.error("to nobody")
"""

    finished = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, program], cwd=tmp_path, env={"PYTHONPATH": os.getcwd()}
    )

    assert 0 == finished.returncode
    assert b"" == (tmp_path / "victim").read_bytes()
