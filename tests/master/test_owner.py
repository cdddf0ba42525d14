"""What a server started by root leaves for workers that are not."""

import os

import pytest

from greenserve.master.owner import make_file

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@ROOT_ONLY
def test_new_file_is_the_worker_s(tmp_path):
    path = tmp_path / "access.log"

    make_file(str(path), 1234, 1235)

    assert (1234, 1235, 0o644) == (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777)


@ROOT_ONLY
def test_link_that_somebody_put_there_gives_nothing_away(tmp_path):
    theirs, path = tmp_path / "shadow", tmp_path / "access.log"
    theirs.touch()
    path.symlink_to(theirs)

    make_file(str(path), 1234, 1235)

    assert 0 == theirs.stat().st_uid


def test_nothing_is_made_where_nobody_changes(tmp_path):
    make_file(str(tmp_path / "access.log"), -1, -1)

    assert [] == list(tmp_path.iterdir())
