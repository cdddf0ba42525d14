"""A reader: an empty folder, a home with a checkout in it, two terminals."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Type, WriteFile, find_steps
from tests.docs.terminal import Terminal
from tests.support.server import make_environ

#: What a checkout needs to be installed from.
PACKAGE = (".build", "greenserve", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


class Reader:
    """Does what a page says, in its order, and checks that it shows what the page shows."""

    def __init__(self, folder: Path, environ: Mapping[str, str], port: int) -> None:
        self._folder = folder
        self._port = port
        self._terminals = {number: Terminal(folder, environ) for number in (1, 2)}

    def follow(self, text: str) -> None:
        steps = list(find_steps(text.replace("8000", str(self._port))))
        assert steps, "the page tells its reader to do nothing"
        for step in steps:
            self._take(step)

    def _take(self, step: WriteFile | Type) -> None:
        if isinstance(step, WriteFile):
            (self._folder / step.name).write_text(step.text)
            return
        terminal = self._terminals[step.terminal]
        if step.line:
            terminal.type(step.line)
        for line in step.shown:
            terminal.wait_for(line)
        if step.ends:
            terminal.wait_for_prompt()

    def leave(self) -> None:
        for terminal in self._terminals.values():
            terminal.close()
            print(terminal.text)


@pytest.fixture
def reader(tmp_path: Path, unused_port: int) -> Iterator[Reader]:
    """A reader in an empty folder, for whom port 8000 is one that nobody else has."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    copy_package(home / "greenserve")
    folder.mkdir()
    reader = Reader(folder, reader_environ(home, unused_port), unused_port)
    yield reader
    reader.leave()


def reader_environ(home: Path, port: int) -> dict[str, str]:
    """Return the environment of a person with another home and this interpreter; pip keeps its cache and settings."""
    person = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "GREENSERVE_BIND": f"127.0.0.1:{port}",
        # To compile takes longer than all else a reader does; tests/packaging and the image's test do it.
        "GREENSERVE_SPEEDUPS": "0",
    }
    kept = {name: str(Path.home() / folder) for name, folder in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config"))}
    return {**kept, **make_environ(person)}


def copy_package(checkout: Path) -> None:
    """Copy what is installed, so that building leaves nothing in the real checkout."""
    checkout.mkdir(parents=True)
    for name in PACKAGE:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, checkout / name)
