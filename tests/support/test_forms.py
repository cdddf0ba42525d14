"""Which form is tested, and what in both."""

import os
import sysconfig
from pathlib import Path

import pytest

from greenserve.speedups import PACKAGE, find_sources
from tests.support.forms import ONE_FORM, TESTS, find_stale

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


def test_every_part_that_is_compiled_is_tested_in_both_forms() -> None:
    compiled = {source.relative_to(PACKAGE).parts[0].removesuffix(source.suffix) for source in find_sources()}

    assert set() == {part for part in compiled if part in ONE_FORM or f"test_{part}.py" in ONE_FORM}


@pytest.mark.parametrize("name", ONE_FORM)
def test_what_needs_one_form_is_there(name: str) -> None:
    assert (TESTS / name).exists()


def touch(path: Path, time: int) -> None:
    path.touch()
    os.utime(path, (time, time))
