import os

import pytest

from greenserve.errors import ConfigError
from greenserve.log import Access, open_access_log


def test_lines_follow_a_log_that_was_moved(tmp_path):
    path, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    log = open_access_log(str(path), "%(m)s")

    log.record(Access({"REQUEST_METHOD": "GET"}, 200, [], 0, 0.0, 0.0, 1))
    path.rename(moved)
    log.write("still the old file")
    log.reopen()
    log.write("the new one")
    log.close()

    assert "GET\nstill the old file\n" == moved.read_text()
    assert "the new one\n" == path.read_text()


def test_log_that_cannot_be_reopened_goes_on_in_the_old_file(tmp_path, error_file):
    folder, moved = tmp_path / "logs", tmp_path / "moved"
    folder.mkdir()
    log = open_access_log(str(folder / "access.log"), "")

    folder.rename(moved)
    log.reopen()
    log.write("kept")
    log.close()

    assert "kept\n" == (moved / "access.log").read_text()
    assert "cannot be reopened (No such file or directory): the old file goes on" in error_file.read_text()


def test_full_disk_is_said_once_and_counted(error_file):
    log = open_access_log("/dev/full", "")

    for _ in range(3):
        log.write("lost")
    log.close()

    assert 3 == log.lost
    assert 1 == error_file.read_text().count("cannot be written (No space left on device): its lines are lost until it can")


def test_recovery_tells_how_many_lines_were_lost(tmp_path, error_file):
    path = tmp_path / "access.log"
    path.symlink_to("/dev/full")
    log = open_access_log(str(path), "")

    log.write("lost")
    log.write("lost")
    path.unlink()
    log.reopen()
    log.write("written")
    log.close()

    assert "written\n" == path.read_text()
    assert "is written again, 2 lines were lost" in error_file.read_text()


def test_line_after_half_a_line_begins_on_its_own(tmp_path, monkeypatch):
    path = tmp_path / "access.log"
    log = open_access_log(str(path), "")
    write, room = os.write, [4, 0, 100]

    def write_what_fits(descriptor, data):
        fits = room.pop(0)
        if not fits:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:fits])

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", write_what_fits)
        log.write("torn line")
        log.write("whole line")
    log.close()

    assert "torn\nwhole line\n" == path.read_text()


def test_log_file_is_not_for_everyone_to_write_whatever_the_umask(tmp_path):
    path = tmp_path / "access.log"
    before = os.umask(0)

    open_access_log(str(path), "").close()
    os.umask(before)

    assert 0o644 == path.stat().st_mode & 0o777


def test_log_that_cannot_be_opened_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match=r"accesslog '.*/none/log' cannot be opened for writing \(No such file or directory\)"):
        open_access_log(str(tmp_path / "none" / "log"), "")


@pytest.mark.parametrize("path", ["-", "/dev/stdout"])
def test_dash_is_the_standard_output(path, capfd):
    log = open_access_log(path, "")

    log.write("line")
    log.reopen()
    log.write("line")
    log.close()

    assert "line\nline\n" == capfd.readouterr().out
