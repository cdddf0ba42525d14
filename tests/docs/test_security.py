"""The security page says of every line of the checklist which tests show it, or why none does."""

import importlib.util
from types import ModuleType

import pytest

from tests.docs.pages import ROOT


@pytest.fixture
def security() -> ModuleType:
    spec = importlib.util.spec_from_file_location("security", ROOT / "docs" / "reference" / "security.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_line_has_a_test_or_says_why_not(security: ModuleType) -> None:
    shown = {proof.line for proof in security.find_proofs()}

    assert [] == [line.text for line in security.read_checklist() if line.text not in shown and not line.open]


def test_every_mark_names_a_line(security: ModuleType) -> None:
    lines = {line.text for line in security.read_checklist()}

    assert [] == [proof for proof in security.find_proofs() if proof.line not in lines]


def test_no_line_stands_twice(security: ModuleType) -> None:
    lines = [line.text for line in security.read_checklist()]

    assert sorted(set(lines)) == sorted(lines)


def test_page_is_what_was_generated(security: ModuleType) -> None:
    page = (ROOT / "docs" / "reference" / "security.md").read_text(encoding="utf-8")

    assert security.security_page() == page, "run python docs/reference/security.py"
