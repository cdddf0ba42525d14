"""The changelog is collected from fragments, and every fragment can be."""

import importlib.util
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

CHANGES = ROOT / "docs" / "changes"


@pytest.fixture(scope="module")
def collect():
    spec = importlib.util.spec_from_file_location("collect", CHANGES / "collect.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_fragments(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name.replace('_', '.')}.md").write_text(text)
    return folder


def test_every_fragment_of_ours_can_be_collected(collect):
    fragments = collect.read_fragments(CHANGES)

    assert len(collect.find_fragments(CHANGES)) == len(fragments)


def test_changes_page_has_room_for_the_next_release(collect):
    page = collect.CHANGES.read_text()

    assert "## 9.9.9" in collect.add_release(page, "## 9.9.9\n")


def test_section_lists_what_matters_most_first(collect, tmp_path):
    write_fragments(tmp_path, log_fixed="A line was lost.\nIt is not.", reload_added="A reload.", head_security="A head.")

    section = collect.release_section("0.2.0 (2026-11-20)", collect.read_fragments(tmp_path))

    assert section == (
        "## 0.2.0 (2026-11-20)\n\n"
        "### Security\n\n- A head.\n\n"
        "### Added\n\n- A reload.\n\n"
        "### Fixed\n\n- A line was lost.\n  It is not.\n"
    )


def test_links_of_a_fragment_lead_there_from_the_changes_page(collect, tmp_path):
    write_fragments(tmp_path, log_added="See [logging](../how-to/logging.md).")

    section = collect.release_section("0.2.0", collect.read_fragments(tmp_path))

    assert "- See [logging](docs/how-to/logging.md)." in section


def test_release_stands_above_earlier_ones(collect):
    page = f"# Changes\n\n{collect.MARK}\n## 0.1.0\n"

    assert f"# Changes\n\n{collect.MARK}\n## 0.2.0\n\n## 0.1.0\n" == collect.add_release(page, "## 0.2.0\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [("topic_invented", "A sentence."), ("fixed", "A sentence."), ("topic_fixed", " \n"), ("topic_fixed", "- A bullet.")],
)
def test_file_that_is_no_fragment_is_refused(collect, tmp_path, name, text):
    write_fragments(tmp_path, **{name: text})

    with pytest.raises(ValueError, match=r"named|must hold"):
        collect.read_fragments(tmp_path)
