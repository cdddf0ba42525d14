"""What changed for users, from the fragments in this folder.

    python docs/changes/collect.py                     show what the next release brings
    python docs/changes/collect.py 0.2.0 2026-11-20    move it into CHANGES.md, as that release

Each change is a file of its own, `<topic>.<kind>.md`, so parallel work does not collide.
"""

import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
CHANGES = FOLDER.parents[1] / "CHANGES.md"

#: In the order in which a reader wants to know.
KINDS = ("security", "removed", "deprecated", "added", "changed", "fixed")

#: Releases stand below this line of CHANGES.md, the latest first.
MARK = "<!-- releases -->\n"


class Fragment(NamedTuple):
    kind: str
    topic: str
    text: str


def read_fragments(folder: Path) -> list[Fragment]:
    """Return all fragments in reading order. Raises ValueError for a file that is none."""
    fragments = [read_fragment(path) for path in find_fragments(folder)]
    return sorted(fragments, key=lambda fragment: (KINDS.index(fragment.kind), fragment.topic))


def find_fragments(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.md") if path.name != "README.md"]


def read_fragment(path: Path) -> Fragment:
    topic, _, kind = path.stem.rpartition(".")
    text = path.read_text(encoding="utf-8").strip()
    if kind not in KINDS or not topic:
        raise ValueError(f"{path.name} is not named <topic>.<kind>.md, with one of {', '.join(KINDS)}")
    if not text or text.startswith(("#", "-", "*")):
        raise ValueError(f"{path.name} must hold sentences, without a heading or a bullet of its own")
    return Fragment(kind, topic, text)


def release_section(heading: str, fragments: list[Fragment]) -> str:
    """Return the section of one release: a list for each kind that has changes."""
    parts = [f"## {heading}\n"]
    for kind in KINDS:
        items = [item(fragment) for fragment in fragments if fragment.kind == kind]
        parts += [f"### {kind.capitalize()}\n", "\n".join(items) + "\n"] if items else []
    return "\n".join(parts)


def item(fragment: Fragment) -> str:
    """Return *fragment* as an item of CHANGES.md, which stands two folders above it."""
    return "- " + fragment.text.replace("\n", "\n  ").replace("](../", "](docs/")


def add_release(page: str, section: str) -> str:
    """Return *page* with *section* above the earlier releases. Raises ValueError if it has no place for it."""
    before, mark, earlier = page.partition(MARK)
    if not mark:
        raise ValueError(f"there is no line {MARK.strip()!r} in CHANGES.md")
    return f"{before}{mark}\n{section}{earlier}"


def release(version: str, date: str) -> None:
    section = release_section(f"{version} ({date})", read_fragments(FOLDER))
    CHANGES.write_text(add_release(CHANGES.read_text(encoding="utf-8"), section), encoding="utf-8")
    for path in find_fragments(FOLDER):
        path.unlink()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        release(*sys.argv[1:])
    else:
        print(release_section("Not released yet", read_fragments(FOLDER)), end="")
