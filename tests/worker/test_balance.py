"""Which worker takes the next connection, by what the scoreboard says."""

import pytest

from greenserve.status import Scoreboard, monotonic_ms
from greenserve.worker.balance import CATCH_UP, Balance


@pytest.fixture
def board():
    """Four workers that accept and have no connections."""
    board = Scoreboard(8)
    for index in range(4):
        row = board.lend(index)
        row["accepting"] = 1
        row["heartbeat_ms"] = monotonic_ms()
    return board


def set_connections(board, *counts):
    for index, count in enumerate(counts):
        board.row(index)["connections"] = count


def test_the_least_loaded_takes(board):
    set_connections(board, 5, 10, 10, 10)

    assert Balance(board, 1).takes_next()


def test_one_more_than_another_is_balanced(board):
    set_connections(board, 11, 10, 10, 10)

    assert Balance(board, 1).takes_next()


def test_who_has_more_leaves_it_to_the_others(board):
    set_connections(board, 12, 12, 10, 12)

    assert not Balance(board, 1).takes_next()


def test_the_slack_grows_with_the_number(board):
    set_connections(board, 257, 252, 252, 252)

    assert Balance(board, 1).takes_next()


@pytest.mark.parametrize(
    "absent",
    [
        pytest.param(lambda row: row.__setitem__("accepting", 0), id="draining"),
        pytest.param(lambda row: row.__setitem__("heartbeat_ms", 1), id="stuck"),
        pytest.param(lambda row: row.clear(), id="dead"),
    ],
)
def test_nobody_waits_for_a_worker_that_does_not_come(board, absent):
    set_connections(board, 12, 12, 0, 12)
    absent(board.row(2))

    assert Balance(board, 1).takes_next()


def test_who_is_alone_takes_all():
    board = Scoreboard(4)
    board.lend(0)["connections"] = 1000

    assert Balance(board, 1).takes_next()


def test_stepping_aside_in_vain_is_made_up_for(board):
    set_connections(board, 100, 0, 100, 100)
    balance = Balance(board, 1)
    taken = 0

    for _ in CATCH_UP:
        balance.waited()
        while balance.takes_next():
            taken += 1

    assert sum(CATCH_UP) == taken
