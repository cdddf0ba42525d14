"""Who gets into the application, and who waits."""

import gevent
import pytest

from greenserve.errors import Overloaded
from greenserve.status import Scoreboard
from greenserve.worker.gate import Gate


@pytest.fixture
def row():
    return Scoreboard(1).row(0)


def open_gate(row, places=1, line=10, patience=60.0):
    return Gate(places, line, patience, row)


def enter(gate, name, order):
    gate.enter()
    order.append(name)


def test_places_are_given_in_the_order_of_coming(row):
    gate, order = open_gate(row), []

    gate.enter()
    waiting = [gevent.spawn(enter, gate, name, order) for name in "abc"]
    for _ in waiting:
        gevent.sleep(0)
        gate.leave()
    gevent.joinall(waiting, timeout=5, raise_error=True)

    assert ["a", "b", "c"] == order


def test_a_place_that_was_given_on_is_not_free(row):
    gate, order = open_gate(row), []

    gate.enter()
    first = gevent.spawn(enter, gate, "first", order)
    gevent.sleep(0)
    gate.leave()
    second = gevent.spawn(enter, gate, "second", order)
    gevent.sleep(0)

    assert ["first"] == order
    gate.leave()
    gevent.joinall([first, second], timeout=5, raise_error=True)


def test_full_line_turns_away_at_once(row):
    gate = open_gate(row, line=0)
    gate.enter()

    with pytest.raises(Overloaded, match="line of waiting requests is full"):
        gate.enter()

    assert 1 == row["requests_turned_away"]


def test_who_waited_too_long_is_turned_away(row):
    gate = open_gate(row, patience=0.0)
    gate.enter()
    late = gevent.spawn(gate.enter)
    gevent.sleep(0)

    gate.expire()

    with pytest.raises(Overloaded, match="no place became free"):
        late.get(timeout=5)


def test_who_was_killed_in_the_line_holds_nobody_up(row):
    gate, order = open_gate(row), []
    gate.enter()
    killed = gevent.spawn(gate.enter)
    next_one = gevent.spawn(enter, gate, "next", order)
    gevent.sleep(0)

    killed.kill()
    gate.leave()
    next_one.get(timeout=5)

    assert ["next"] == order


def test_who_was_killed_on_the_way_in_gives_the_place_on(row):
    gate, order = open_gate(row), []
    gate.enter()
    killed = gevent.spawn(gate.enter)
    next_one = gevent.spawn(enter, gate, "next", order)
    gevent.sleep(0)

    killed.kill(block=False)
    gate.leave()
    next_one.get(timeout=5)

    assert ["next"] == order
