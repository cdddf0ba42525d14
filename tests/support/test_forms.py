"""What was compiled before an edit would hide it from the tests."""

import os
import sysconfig
from pathlib import Path

import pytest

from tests.support.forms import find_stale

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


@pytest.mark.parametrize(
    ("name", "seconds", "stale"), [("counter.py", 1, True), ("counter.pxd", 1, True), ("counter.py", -1, False)]
)
def test_source_is_stale_when_it_was_edited_after_it_was_compiled(tmp_path: Path, name: str, seconds: int, stale: bool) -> None:
    for suffix in (".py", ".pxd", SUFFIX):
        touch(tmp_path / f"counter{suffix}", 1000)

    touch(tmp_path / name, 1000 + seconds)

    assert (["counter.py"] if stale else []) == find_stale(tmp_path)


def test_plain_source_is_never_stale(tmp_path: Path) -> None:
    touch(tmp_path / "counter.py", 1000)
    touch(tmp_path / "counter.pxd", 1000)

    assert [] == find_stale(tmp_path)


def touch(path: Path, time: int) -> None:
    path.touch()
    os.utime(path, (time, time))
