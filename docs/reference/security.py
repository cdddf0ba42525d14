"""Write security.md from security.toml and the tests that name its lines: `python docs/reference/security.py`.

A test names a line with @pytest.mark.security("...", to the letter). Tests are
read here and not run, so the page needs nothing installed but greenserve.
"""

import ast
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from greenserve.files import parse_toml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = HERE / "security.md"
CHECKLIST = HERE / "security.toml"

INTRODUCTION = """\
# Security checklist

This page is generated from `security.toml` and the tests by `docs/reference/security.py`.

Every line is a fault that some server had, most of them with a CVE, turned into what has to hold here.
Below each stand the tests that show it, or why there are none.
"""


class Line(NamedTuple):
    section: str
    text: str
    #: Why there is no test; empty if there has to be one.
    open: str


class Proof(NamedTuple):
    """A test, and the line of the checklist that it names."""

    line: str
    test: str


def read_checklist() -> list[Line]:
    entries = parse_toml(CHECKLIST.read_text(encoding="utf-8"), str(CHECKLIST))["line"]
    return [Line(entry["section"], entry["text"], entry.get("open", "")) for entry in entries]


def find_proofs() -> list[Proof]:
    """Return every mark of every test, in the order of their files."""
    return [proof for path in sorted((ROOT / "tests").rglob("test_*.py")) for proof in find_marks(path)]


def find_marks(path: Path) -> Iterator[Proof]:
    where = path.relative_to(ROOT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            for text in filter(None, map(marked_line, node.decorator_list)):
                yield Proof(text, f"{where}::{node.name}")


def marked_line(decorator: Any) -> str:
    """Return the line that *decorator* names, empty if it is another decorator."""
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "pytest.mark.security":
        return ""
    return str(ast.literal_eval(decorator.args[0]))


def security_page() -> str:
    proofs = find_proofs()
    sections = groupby(read_checklist(), key=lambda line: line.section)
    return "\n".join([INTRODUCTION, *(section(name, list(lines), proofs) for name, lines in sections)])


def section(name: str, lines: list[Line], proofs: list[Proof]) -> str:
    return f"## {name}\n\n" + "\n".join(
        entry(line, [proof.test for proof in proofs if proof.line == line.text]) for line in lines
    )


def entry(line: Line, tests: list[str]) -> str:
    shown = [f"- `{test}`" for test in tests] or [f"Open: {line.open or 'no test names this line yet.'}"]
    return f"### {line.text}\n\n" + "\n".join(shown) + "\n"


if __name__ == "__main__":
    PAGE.write_text(security_page(), encoding="utf-8")
