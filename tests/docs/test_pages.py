"""The form that all pages have."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def prose(text: str) -> list[str]:
    """Return the lines outside of fences and tables, without code and links' addresses."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in outside.splitlines() if not line.startswith("|")]
    return [re.sub(r"`[^`]*`|\]\([^)]*\)", "", line) for line in lines]


def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())

    assert [] == [target for target in targets if not (page.parent / target).exists()]


def test_each_sentence_has_its_line(page: Path) -> None:
    assert [] == [line for line in prose(page.read_text()) if re.search(r"\D[.?!] +[A-Z]", line)]


def test_every_page_is_in_the_index(page: Path) -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", index.read_text())}
    if page in (index, ROOT / "README.md") or page.parent.name == "changes":
        return

    assert page in linked
