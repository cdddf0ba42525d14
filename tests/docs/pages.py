"""What a page of the documentation tells its reader to do, as steps that a test can take.

A fence of `console` is what a person types, behind `$ `, and what the terminal
then shows; one that shows lines only goes on with what is running. Words behind
`console` do not appear on the page: `second` is a second terminal, `running`
is a command that does not end. Any other fence whose first line is the comment
`# NAME` is a file that the person writes.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class WriteFile(NamedTuple):
    name: str
    text: str


class Type(NamedTuple):
    #: 1 or 2.
    terminal: int
    #: Empty if nothing is typed.
    line: str
    shown: list[str]
    #: Whether the prompt comes back.
    ends: bool


class Fence(NamedTuple):
    language: str
    note: str
    text: str


def read_page(name: str, section: str = "") -> str:
    """Return the page, or its one section of that heading."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if not section:
        return text
    return re.split(r"^## ", text.partition(f"\n## {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def find_fences(text: str) -> list[Fence]:
    return [Fence(*match) for match in _FENCE.findall(text)]


def find_steps(text: str) -> Iterator[WriteFile | Type]:
    for fence in find_fences(text):
        if fence.language == "console":
            yield from read_session(fence)
        elif match := re.match(r"# ([\w./-]+)\n", fence.text):
            yield WriteFile(match[1], fence.text)


def read_session(fence: Fence) -> Iterator[Type]:
    """Return each command of the fence with the lines that are shown after it."""
    terminal = 2 if "second" in fence.note else 1
    before, *commands = re.split(r"^\$ ", fence.text, flags=re.MULTILINE)
    if before:
        yield Type(terminal, "", before.splitlines(), ends=False)
    for command in commands:
        line, *shown = command.splitlines()
        yield Type(terminal, line, shown, ends="running" not in fence.note)
