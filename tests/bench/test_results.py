"""The file in which runs are kept."""

from pathlib import Path

import pytest

from bench.document import NOTHING, PAGE, RUNS, fill, make_parts
from bench.match import Run
from bench.results import Played, join_circumstances, read_results, write_results
from bench.scenarios import SCENARIOS

RUN = Run("hello", "greenserve", 1, figure=6.25, rate=150_000.0, p50_ms=0.5, memory_mib=30.5, remark="closes")
WRONG = Run("hello", "bjoern", 1, "did not start")


def test_runs_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = {"hello": Played({"date": "2026-01-01"}, [RUN, WRONG]), "tls": Played({}, [RUN._replace(scenario="tls")])}

    write_results(tmp_path / "deeper" / "results.json", results)

    assert results == read_results(tmp_path / "deeper" / "results.json")


def test_there_are_no_results_before_the_first() -> None:
    assert {} == read_results(Path("/nowhere/results.json"))


def test_each_run_has_a_line(tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", {"hello": Played({}, [RUN] * 3)})

    assert 3 == sum('"round"' in line for line in (tmp_path / "results.json").read_text().splitlines())


def test_circumstances_that_differ_are_all_told() -> None:
    played = [Played({"date": date, "Python": version, "rounds": "7"}, []) for date, version in (("b", "3.11"), ("a", "3.12"))]

    joined = join_circumstances({"hello": played[0], "tls": played[1]})

    assert {"date": "a – b", "Python": "3.11; 3.12", "rounds": "7"} == joined


def test_page_is_filled_between_its_marks() -> None:
    page = "Words.\n<!-- measured: hello -->\nold\n<!-- end -->\nMore.\n<!-- measured: tls -->\n<!-- end -->\n"

    filled = fill(page, {"hello": "new"})

    assert filled == (
        f"Words.\n<!-- measured: hello -->\n\nnew\n\n<!-- end -->\nMore.\n<!-- measured: tls -->\n\n{NOTHING}\n\n<!-- end -->\n"
    )


def test_page_shows_what_was_measured() -> None:
    """`python -m bench.document` makes it so; a table changed by hand would be a lie."""
    page = PAGE.read_text(encoding="utf-8")

    results = read_results(RUNS)

    assert page == fill(page, make_parts(results) if results else {})


@pytest.mark.parametrize("part", [*(scenario.name for scenario in SCENARIOS), "targets", "circumstances", "plot", "missed"])
def test_page_has_a_place_for_it(part: str) -> None:
    assert f"<!-- measured: {part} -->" in PAGE.read_text(encoding="utf-8")
