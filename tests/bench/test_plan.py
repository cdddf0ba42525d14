"""Who plays what, and in which order."""

from bench.peers import PEERS
from bench.plan import Plan, Progress, leave_out
from bench.scenarios import SCENARIOS

HELLO = next(scenario for scenario in SCENARIOS if scenario.name == "hello")


def test_every_second_round_goes_backwards() -> None:
    plan = Plan([HELLO], PEERS[:3], rounds=3, seconds=2)

    played = [(number, peer.name) for number, peer in plan.order(HELLO)]

    forwards = [peer.name for peer in PEERS[:3]]
    expected = [(1, forwards), (2, forwards[::-1]), (3, forwards)]
    assert [(number, name) for number, names in expected for name in names] == played


def test_floor_is_no_server_where_it_does_not_do_the_work() -> None:
    assert {"hello", "browser", "close"} == {
        scenario.name for scenario in SCENARIOS if "C epoll floor" in scenario.beside and scenario.rounds is None
    }


def test_scenario_may_need_fewer_rounds() -> None:
    scenario = HELLO._replace(rounds=3)

    assert 3 == Plan([scenario], PEERS, rounds=7, seconds=2).rounds_of(scenario)
    assert 1 == Plan([scenario], PEERS, rounds=1, seconds=2).rounds_of(scenario)


def test_all_of_it_can_be_measured_in_the_time_that_a_person_has() -> None:
    assert Plan(SCENARIOS, PEERS, rounds=7, seconds=2).estimate() < 80 * 60


def test_what_is_in_the_results_is_left_out_when_resuming() -> None:
    assert HELLO not in leave_out(SCENARIOS, {"hello": None})


def test_what_is_left_goes_at_the_pace_of_what_is_done() -> None:
    """Four scenarios alike, of which the first took an hour."""
    progress = Progress(Plan([HELLO] * 4, PEERS, rounds=7, seconds=2), now=1000)

    assert "about 180 minutes to go" == progress.tell(now=1000 + 3600)
    assert "about 60 minutes to go" == progress.tell(now=1000 + 3600)
