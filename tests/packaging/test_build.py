"""GREENSERVE_SPEEDUPS decides what a wheel has in it: compiled code, if it can be had."""

import os
import sysconfig
import tarfile
import time
from pathlib import Path

import pytest

from tests.packaging.conftest import Project

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
PLAIN = "greenserve-0.1.0-py3-none-any.whl"
COMPILED = {f"greenserve/counter{SUFFIX}", f"greenserve/_switches{SUFFIX}"}
SOURCES = {"greenserve/counter.py", "greenserve/counter.pxd", "greenserve/_switches.pyx"}


@pytest.mark.parametrize("environ", [{}, {"GREENSERVE_SPEEDUPS": "1"}], ids=["unset", "1"])
def test_wheel_has_compiled_modules_beside_their_sources(project: Project, environ: dict[str, str]) -> None:
    wheel = project.build_wheel(**environ)

    assert wheel.modules >= COMPILED | SOURCES
    assert PLAIN != wheel.name


def test_wheel_has_nothing_that_was_generated_on_the_way(project: Project) -> None:
    wheel = project.build_wheel()

    assert {".py", ".pxd", ".pyx", ".so", ".typed"} >= {Path(name).suffix for name in wheel.modules}


@pytest.mark.parametrize("switched", [{"GREENSERVE_SPEEDUPS": "0"}, {"CC": "false"}, {"CC": "no-such-compiler"}])
def test_wheel_is_for_every_platform_without_compiled_modules(project: Project, switched: dict[str, str]) -> None:
    wheel = project.build_wheel(**switched)

    assert PLAIN == wheel.name
    assert set() == wheel.modules & COMPILED
    assert wheel.modules >= SOURCES


def test_build_says_why_the_wheel_is_plain(project: Project) -> None:
    wheel = project.build_wheel(CC="false")

    assert "This greenserve will be plain Python code, since the C compiler 'false' cannot compile" in wheel.said


def test_build_falls_back_when_a_module_cannot_be_compiled(project: Project) -> None:
    (project.root / "greenserve/_broken.pyx").write_text("def broken(:\n")

    wheel = project.build_wheel()

    assert PLAIN == wheel.name
    assert "since compiling failed: Cython found errors: " in wheel.said


def test_build_fails_when_a_module_that_must_be_compiled_cannot_be(project: Project) -> None:
    (project.root / "greenserve/_broken.pyx").write_text("def broken(:\n")

    done = project.call("build_wheel", "dist", GREENSERVE_SPEEDUPS="1")

    assert 1 == done.returncode
    assert done.stderr.splitlines()[-1].startswith("Cython found errors: ")


@pytest.mark.parametrize("hook", ["get_requires_for_build_wheel", "get_requires_for_build_editable"])
def test_build_that_must_compile_says_in_a_sentence_that_it_cannot(project: Project, hook: str) -> None:
    done = project.call(hook, CC="no-such-compiler", GREENSERVE_SPEEDUPS="1")

    assert 1 == done.returncode
    assert done.stderr == (
        "GREENSERVE_SPEEDUPS=1 asks for compiled code, and the C compiler 'no-such-compiler' cannot be run "
        "(No such file or directory).\n"
    )


def test_build_refuses_another_value(project: Project) -> None:
    done = project.call("get_requires_for_build_wheel", GREENSERVE_SPEEDUPS="yes")

    assert 1 == done.returncode
    assert done.stderr.startswith("GREENSERVE_SPEEDUPS is 'yes': 0 is plain Python code")


@pytest.mark.parametrize(
    ("hook", "environ", "asked"),
    [
        ("get_requires_for_build_wheel", {}, True),
        ("get_requires_for_build_wheel", {"GREENSERVE_SPEEDUPS": "1"}, True),
        ("get_requires_for_build_wheel", {"GREENSERVE_SPEEDUPS": "0"}, False),
        ("get_requires_for_build_wheel", {"CC": "false"}, False),
        ("get_requires_for_build_editable", {}, False),
        ("get_requires_for_build_editable", {"GREENSERVE_SPEEDUPS": "1"}, True),
    ],
)
def test_cython_is_asked_for_where_it_is_used(project: Project, hook: str, environ: dict[str, str], asked: bool) -> None:
    done = project.call(hook, **environ)

    assert f"{['cython >= 3.1', 'greenlet >= 3.2'] if asked else []}\n" == done.stdout


def test_nothing_to_compile_is_plain(plain_project: Project) -> None:
    wheel = plain_project.build_wheel()

    assert PLAIN == wheel.name


def test_nothing_to_compile_is_not_what_1_asks_for(plain_project: Project) -> None:
    done = plain_project.call("build_wheel", "dist", GREENSERVE_SPEEDUPS="1")

    assert done.stderr == "GREENSERVE_SPEEDUPS=1 asks for compiled code, and no module of it is made to be compiled.\n"


def test_build_leaves_nothing_in_the_checkout(project: Project) -> None:
    before = project.files()

    wheel = project.build_wheel()

    assert project.files() == before | {f"dist/{wheel.name}"}


def test_module_that_is_gone_is_not_packed(project: Project) -> None:
    """setuptools packs what it finds in build/, where an earlier build has left it."""
    project.build_wheel(GREENSERVE_SPEEDUPS="0")
    (project.root / "greenserve/counter.py").unlink()

    assert "greenserve/counter.py" not in project.build_wheel(GREENSERVE_SPEEDUPS="0").modules


def test_source_archive_can_be_built_from(project: Project) -> None:
    """pip builds from it when there is no wheel for a platform."""
    done = project.call("build_sdist", "dist")

    with tarfile.open(project.root / "dist" / done.stdout.splitlines()[-1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert names >= SOURCES | {
        ".build/backend.py",
        "greenserve/lengths.pxd",
        "pyproject.toml",
        "setup.cfg",
        "README.md",
        "LICENSE",
    }
    assert set() == {name for name in names if Path(name).suffix in (".c", ".so", ".pyc")}


def test_editable_installation_is_plain(project: Project) -> None:
    """What was compiled before an edit would hide it."""
    project.compile_in_place()

    done = project.call("build_editable", "dist")

    assert 0 == done.returncode, done.stderr
    assert set() == project.files() & COMPILED


def test_editable_installation_is_compiled_in_place_on_demand(project: Project) -> None:
    done = project.call("build_editable", "dist", GREENSERVE_SPEEDUPS="1")

    assert 0 == done.returncode, done.stderr
    assert project.files() >= COMPILED
    assert set() == {name for name in project.files() if name.startswith("greenserve/") and name.endswith(".c")}


def test_only_what_has_changed_is_compiled_again(project: Project) -> None:
    project.compile_in_place()
    before = {name: (project.root / name).stat().st_mtime_ns for name in COMPILED}
    counter = project.root / "greenserve/counter.py"
    counter.write_text(counter.read_text().replace("self.count = 0", "self.count = 7"))
    os.utime(counter, (time.time() + 1, time.time() + 1))

    project.compile_in_place()

    assert {f"greenserve/counter{SUFFIX}"} == {
        name for name in COMPILED if (project.root / name).stat().st_mtime_ns != before[name]
    }
    assert "7\n" == project.python("from greenserve.counter import Counter; print(Counter().count)").stdout


def test_everything_is_compiled_again_when_the_build_has_changed(project: Project) -> None:
    project.compile_in_place()
    before = {name: (project.root / name).stat().st_mtime_ns for name in COMPILED}
    os.utime(project.root / ".build/backend.py", (time.time() + 1, time.time() + 1))

    project.compile_in_place()

    assert set() == {name for name in COMPILED if (project.root / name).stat().st_mtime_ns == before[name]}


def test_module_that_is_compiled_no_more_is_removed(project: Project) -> None:
    project.compile_in_place()
    (project.root / "greenserve/counter.pxd").unlink()

    project.compile_in_place()

    assert {f"greenserve/_switches{SUFFIX}"} == project.files() & COMPILED
