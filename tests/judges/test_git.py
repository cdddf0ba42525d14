"""Git itself pushes to and clones from the Git servers that are WSGI applications.

More than a megabyte is pushed in chunks, and compressed requests of fetch carry no length either.
"""

import os
import shutil

import pytest

from tests.judges.conftest import require, run

require("dulwich")

if shutil.which("git") is None:
    pytest.skip("git is not installed (apt install git)", allow_module_level=True)

SIZE = 20_000_000

#: Whatever the person who runs the tests has told Git.
NOBODY = {
    **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}


def git(*arguments, cwd):
    return run("git", *arguments, cwd=cwd, env=NOBODY)


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture(scope="module", params=["git_server", "git_http_backend"])
def remote(request, serve, repositories):
    """The URL of a new repository that anybody may push to."""
    name = f"{request.param}.git"
    git("init", "--quiet", "--bare", "-b", "main", name, cwd=repositories)
    git("config", "http.receivepack", "true", cwd=repositories / name)
    return f"{serve(request.param, env=NOBODY | {'REPOSITORIES': str(repositories)}).url}/{name}"


@pytest.fixture
def work(tmp_path, remote):
    """A working copy of the remote repository."""
    git("clone", "--quiet", remote, "work", cwd=tmp_path)
    git("checkout", "--quiet", "-B", "main", cwd=tmp_path / "work")
    return tmp_path / "work"


def commit(work, name, content):
    (work / name).write_bytes(content)
    git("add", name, cwd=work)
    git("commit", "--quiet", "-m", f"add {name}", cwd=work)


def test_small_commit_is_pushed_and_cloned(work, remote, tmp_path):
    commit(work, "small", b"a few bytes\n")

    git("push", "--quiet", "origin", "main", cwd=work)
    git("clone", "--quiet", remote, "clone", cwd=tmp_path)

    assert b"a few bytes\n" == (tmp_path / "clone/small").read_bytes()


def test_twenty_megabytes_are_pushed_in_chunks_and_cloned(work, remote, tmp_path):
    content = os.urandom(SIZE)
    commit(work, "large", content)

    git("push", "--quiet", "origin", "main", cwd=work)
    git("clone", "--quiet", remote, "clone", cwd=tmp_path)

    assert content == (tmp_path / "clone/large").read_bytes()


def test_fetch_brings_what_others_have_pushed(work, remote, tmp_path):
    git("clone", "--quiet", remote, "other", cwd=tmp_path)
    git("checkout", "--quiet", "-B", "main", cwd=tmp_path / "other")
    for number in range(40):
        commit(tmp_path / "other", f"file-{number}", b"x" * number)
    git("push", "--quiet", "origin", "main", cwd=tmp_path / "other")

    git("pull", "--quiet", "--ff-only", "origin", "main", cwd=work)

    assert git("rev-parse", "HEAD", cwd=tmp_path / "other") == git("rev-parse", "HEAD", cwd=work)
