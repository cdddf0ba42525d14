"""A project like ours but for its size: our build, and a package of two modules that are compiled."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent.parent

#: What a checkout has for the build, and what of the package it needs.
BUILD = (".build/backend.py", "pyproject.toml", "setup.cfg", "README.md", "LICENSE", "MANIFEST.in")
PACKAGE = ("greenserve/__init__.py", "greenserve/__main__.py", "greenserve/errors.py", "greenserve/speedups.py")

#: Runs a hook of the build as pip does, with the backend and the checkout on the path.
HOOK = "import sys, backend; print(getattr(backend, sys.argv[1])(*sys.argv[2:]))"


class Project:
    """A checkout, and what a frontend does with it."""

    def __init__(self, root: Path, modules: dict[str, str]) -> None:
        self.root = root
        for name in (*BUILD, *PACKAGE):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
        for name, text in modules.items():
            (root / "greenserve" / name).write_text(text)

    def call(self, hook: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Call a hook of the build, and return what it said."""
        return self._run("-c", HOOK, hook, *arguments, PYTHONPATH=f"{self.root}/.build:{self.root}", **environ)

    def build_wheel(self, **environ: str) -> "Wheel":
        directory = self.root / "dist"
        done = self.call("build_wheel", str(directory), **environ)
        assert 0 == done.returncode, done.stderr
        return Wheel(directory / done.stdout.splitlines()[-1], done.stderr)

    def compile_in_place(self) -> None:
        done = self._run(".build/backend.py", PYTHONPATH=str(self.root))
        assert 0 == done.returncode, done.stderr

    def python(self, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run code that imports the package from the checkout."""
        return self._run("-c", code, PYTHONPATH=str(self.root), **environ)

    def files(self) -> set[str]:
        """Return every file, by its path in the checkout."""
        found = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}
        return {name for name in found if not name.endswith(".pyc")}

    def _run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("GREENSERVE_SPEEDUPS", "CC", "PYTHONPATH")}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.root, env={**kept, **environ}, capture_output=True, text=True, check=False)


class Wheel:
    """A wheel, and what building it said."""

    def __init__(self, path: Path, said: str) -> None:
        self.name = path.name
        self.said = said
        with ZipFile(path) as archive:
            self.modules = {name for name in archive.namelist() if name.startswith("greenserve/")}


#: One source for both forms, with its types beside it; a module that is compiled or is not there, and declarations alone.
MODULES = {
    "counter.py": 'class Counter:\n    """Counts."""\n\n    def __init__(self) -> None:\n        self.count = 0\n',
    "counter.pxd": "cdef class Counter:\n    cdef public long count\n",
    "_switches.pyx": 'cdef extern from "greenlet/greenlet.h":\n    pass\n\ndef double(long number):\n    return 2 * number\n',
    "lengths.pxd": "ctypedef long length_t\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, MODULES)


@pytest.fixture
def plain_project(tmp_path: Path) -> Project:
    """A project in which nothing is made to be compiled."""
    return Project(tmp_path, {})


@pytest.fixture(scope="module")
def compiled_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was compiled in place."""
    project = Project(tmp_path_factory.mktemp("compiled"), MODULES)
    project.compile_in_place()
    return project
