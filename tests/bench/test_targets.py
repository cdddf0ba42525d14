"""Whether targets are said to be met when they are."""

import pytest

from bench.match import Run
from bench.peers import PLAIN
from bench.report import make_boards
from bench.scenarios import SCENARIOS
from bench.targets import TARGETS, Kind, Target, judge, to_markdown

CHEAPER = Target("hello", 0.95, next(target.against for target in TARGETS if target.scenario == "hello"))
FASTER = Target("database", 1.5, next(target.against for target in TARGETS if target.kind is Kind.RATE), Kind.RATE)


def run(server: str, figure: float, number: int = 1, scenario: str = "hello", **more) -> Run:
    return Run(scenario, server, number, figure=figure, **more)


def verdict(target: Target, *runs: Run):
    return judge(target, make_boards(runs, SCENARIOS), runs)


def test_ratio_is_taken_within_each_round() -> None:
    """A noisy round raises both, and says as much of their ratio as a quiet one."""
    rounds = [("greenserve", 6.0, 1), ("bjoern", 8.0, 1), ("greenserve", 14.0, 2), ("bjoern", 20.0, 2)]

    found = verdict(CHEAPER, *(run(*each) for each in rounds))

    assert 0.725 == pytest.approx(found.measured.middle)
    assert "bjoern" == found.opponent
    assert found.met is True


def test_cost_above_the_bound_misses() -> None:
    assert verdict(CHEAPER, run("greenserve", 9.6), run("bjoern", 10.0)).met is False


def test_cost_at_the_bound_meets() -> None:
    assert verdict(CHEAPER, run("greenserve", 9.5), run("bjoern", 10.0)).met is True


def test_rate_below_the_bound_misses() -> None:
    ours, theirs = (
        run("greenserve", 1.0, scenario="database", rate=1400),
        run("gunicorn gevent", 2.0, scenario="database", rate=1000),
    )

    assert verdict(FASTER, ours, theirs).met is False
    assert verdict(FASTER, ours._replace(rate=1600), theirs).met is True


def test_peer_that_does_not_count_is_not_compared_with() -> None:
    wrong = Run("hello", "fastwsgi", 1, "answered 500 where 200 was expected")

    assert "bjoern" == verdict(CHEAPER, run("greenserve", 9.0), wrong, run("bjoern", 10.0)).opponent


def test_no_target_is_met_by_a_run_that_was_wrong() -> None:
    wrong = Run("hello", "greenserve", 2, "errors under load: 1 unread")

    assert verdict(CHEAPER, run("greenserve", 5.0), wrong, run("bjoern", 10.0)).met is None


def test_plain_python_has_a_target_of_its_own() -> None:
    (target,) = [target for target in TARGETS if target.server is PLAIN]

    found = verdict(target, run("greenserve", 5.0), run(PLAIN.name, 10.0), run("gunicorn gevent", 80.0))

    assert 0.125 == found.measured.middle


def test_every_target_is_of_a_scenario_in_which_both_take_part() -> None:
    scenarios = {scenario.name: scenario for scenario in SCENARIOS}

    for target in TARGETS:
        scenario = scenarios[target.scenario]
        members = getattr(target.against, "members", {getattr(target.against, "name", target.server.name)})
        assert scenario.beside & (members | {target.server.name}) or target.against is None, target
        assert scenario.is_for(target.server), target


def test_table_shows_what_was_not_measured() -> None:
    table = to_markdown([], [])

    assert len(TARGETS) == table.count("not measured")
