"""Mercurial pushes to and clones from its own web server."""

import os
import sys
from pathlib import Path

import pytest

from tests.judges.conftest import require, run

require("mercurial")

#: Installed beside the interpreter, which need not be on the path.
HG = Path(sys.executable).with_name("hg")

SIZE = 8_000_000

HGWEB = """
[paths]
/ = {directory}/*
[web]
push_ssl = false
allow_push = *
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("mercurial")


@pytest.fixture(scope="module")
def remote(serve, directory):
    (directory / "hgweb.config").write_text(HGWEB.format(directory=directory))
    hg("init", "shared", cwd=directory)
    return f"{serve('hg_server', env={'HGRCPATH': '', 'HG_CONFIG': str(directory / 'hgweb.config')}).url}/shared"


def hg(*arguments, cwd):
    return run(str(HG), "--config", "ui.username=x", *arguments, cwd=cwd, env={"HGRCPATH": "", "HGPLAIN": "1"})


def commit(work, name, content):
    (work / name).write_bytes(content)
    hg("commit", "--quiet", "--addremove", "-m", f"add {name}", cwd=work)


def test_large_commit_is_pushed_and_cloned(remote, tmp_path):
    content = os.urandom(SIZE)
    hg("clone", remote, "work", cwd=tmp_path)
    commit(tmp_path / "work", "large", content)

    hg("push", cwd=tmp_path / "work")
    hg("clone", remote, "clone", cwd=tmp_path)

    assert content == (tmp_path / "clone/large").read_bytes()


def test_pull_brings_what_others_have_pushed(remote, tmp_path):
    hg("clone", remote, "mine", cwd=tmp_path)
    hg("clone", remote, "theirs", cwd=tmp_path)
    for number in range(5):
        commit(tmp_path / "theirs", f"file-{number}", b"x" * number)
    hg("push", cwd=tmp_path / "theirs")

    hg("pull", "--update", cwd=tmp_path / "mine")

    assert hg("id", "--id", cwd=tmp_path / "theirs") == hg("id", "--id", cwd=tmp_path / "mine")


def test_page_of_a_repository_is_shown(remote):
    assert "Mercurial" in run("curl", "--silent", "--show-error", "--fail", f"{remote}/log")
