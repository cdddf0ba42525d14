"""Whether a log could be opened, found out without a trace."""

import os
import select

import pytest

from greenserve.errors import ConfigError
from greenserve.log import check_log_file


def test_nothing_is_made(tmp_path):
    check_log_file("accesslog", str(tmp_path / "log"))

    assert [] == os.listdir(tmp_path)


def test_a_file_stays_as_it_is(tmp_path):
    (tmp_path / "log").write_text("lines\n")

    check_log_file("accesslog", str(tmp_path / "log"))

    assert "lines\n" == (tmp_path / "log").read_text()


@pytest.mark.parametrize("stream", ["-", "/dev/stdout", "/dev/stderr"])
def test_a_standard_stream_is_there(stream):
    check_log_file("errorlog", stream)


def test_who_reads_a_pipe_notices_nothing(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_log_file("accesslog", str(path))

        assert ([], [], []) == select.select([reader], [], [], 0)
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none/log", "No such file or directory"), ("file/log", "Not a directory"), (".", "Is a directory")],
)
def test_what_cannot_be_a_log_is_refused(tmp_path, name, reason):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=rf"accesslog '.*' cannot be opened for writing \({reason}\)"):
        check_log_file("accesslog", str(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_is_refused():
    with pytest.raises(ConfigError, match="Permission denied"):
        check_log_file("accesslog", "/log")
