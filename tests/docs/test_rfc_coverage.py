"""What the RFC coverage page names is there."""

import re

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "reference" / "rfc-coverage.md").read_text(encoding="utf-8")
CORPUS = ROOT / "tests" / "protocol" / "corpus"

#: The sections of RFC 9112 that ask something of a server, or might; all of them must be on the page.
SECTIONS = (
    "2.1 2.2 2.3 3 3.1 3.2 3.2.1 3.2.2 3.2.3 3.2.4 3.3 4 5 5.1 5.2 6 6.1 6.2 6.3 7 7.1 7.1.1 7.1.2 7.2 7.3 7.4 8 "
    "9.1 9.2 9.3 9.3.2 9.4 9.5 9.6 9.7 9.8 10 11.1 11.2"
)


def has_test(name: str) -> bool:
    path, _, function = name.partition("::")
    return f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_case_that_is_named_exists() -> None:
    named = re.findall(r"`corpus/([^`]+)`", PAGE)

    assert [] == [name for name in named if not list(CORPUS.glob(f"{name}.http"))]
    assert named


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[^`]+::[^`]+)`", PAGE)

    assert [] == [name for name in named if not has_test(name)]
    assert named


def test_every_row_says_what_shows_it() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| [0-9C]", line)]

    assert [] == [row for row in rows if "`" not in row.split("|")[3] and "not " not in row.split("|")[3]]


def test_every_section_has_its_row() -> None:
    first, _, _ = PAGE.partition("## RFC 9110")
    cells = re.findall(r"^\| ([0-9., ]+)", first, re.MULTILINE)

    named = {number for cell in cells for number in re.split(r"[, ]+", cell.strip())}

    assert [] == [section for section in SECTIONS.split() if section not in named]
