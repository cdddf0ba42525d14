"""What a stuck worker says of itself, in faulthandler's words, and the line of the application in it. Text only."""

import os
import re
import sysconfig
from functools import cache
from typing import NamedTuple

import greenserve

_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)


@cache
def foreign_folders() -> tuple[str, ...]:
    """Return the folders whose code is not the application's, ours first."""
    # Not at import: sysconfig reads all that Python was built with, and few masters ever have a stuck worker.
    installed = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    return tuple(os.path.join(os.path.realpath(folder), "") for folder in (os.path.dirname(greenserve.__file__), *installed))


class Place(NamedTuple):
    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}, in {self.function}"


def find_thread(stacks: str) -> str:
    """Return the thread that serves: the one with our frames, or else the one that got the signal."""
    threads = [thread for thread in re.split(r"\n\n+", stacks.strip()) if _FRAME.search(thread)]
    ours = [thread for thread in threads if any(file.startswith(foreign_folders()[0]) for file, _, _ in _FRAME.findall(thread))]
    current = [thread for thread in threads if thread.startswith("Current")]
    return next(iter([*ours, *current, *threads]), "")


def find_place(stacks: str) -> Place | None:
    """Return where the application is: its own line rather than that of a library it has called."""
    places = [Place(file, int(line), function) for file, line, function in _FRAME.findall(find_thread(stacks))]
    own = [place for place in places if not os.path.realpath(place.file).startswith(foreign_folders())]
    return next(iter([*own, *places]), None)
