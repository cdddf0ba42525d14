"""What the table says of the runs."""

from bench.match import Run
from bench.report import Ratio, board_to_markdown, make_board
from bench.scenarios import Scenario

HELLO = Scenario("hello", "Hello")


def run(server: str, figure: float, number: int = 1) -> Run:
    return Run("hello", server, number, figure=figure)


def rows_of(*runs: Run):
    return {row.server: row for row in make_board(runs, HELLO).rows}


def test_rounds_are_told_by_their_median() -> None:
    row = rows_of(run("bjoern", 7.0), run("bjoern", 50.0, 2), run("bjoern", 8.0, 3))["bjoern"]

    assert (8.0, 7.0, 50.0, 3) == (row.figure, row.least, row.most, row.counted)


def test_ratio_is_to_the_best_peer_and_to_the_floor() -> None:
    rows = rows_of(run("greenserve", 6.0), run("bjoern", 8.0), run("granian", 12.0), run("C epoll floor", 5.0))

    assert (0.75, 1.2) == (rows["greenserve"].to_best.middle, rows["greenserve"].to_floor.middle)


def test_ratio_is_the_median_of_the_ratios_within_the_rounds() -> None:
    ours = [run("greenserve", figure, number) for number, figure in enumerate((6.0, 7.0, 12.0), 1)]
    theirs = [run("bjoern", figure, number) for number, figure in enumerate((8.0, 14.0, 12.0), 1)]

    assert Ratio(0.75, 0.625, 0.875) == rows_of(*ours, *theirs)["greenserve"].to_best


def test_round_that_only_one_has_played_is_in_no_ratio() -> None:
    rows = rows_of(run("greenserve", 6.0), run("greenserve", 100.0, 2), run("bjoern", 8.0))

    assert 0.75 == rows["greenserve"].to_best.middle


def test_our_own_figure_is_never_the_best_peer() -> None:
    rows = rows_of(run("greenserve", 6.0), run("greenserve (plain Python)", 5.0), run("bjoern", 10.0))

    assert 1.0 == rows["bjoern"].to_best.middle


def test_one_wrong_run_disqualifies() -> None:
    wrong = Run("hello", "bjoern", 2, "answered 500 where 200 was expected")

    rows = rows_of(run("bjoern", 5.0), wrong, run("granian", 10.0))

    assert rows["bjoern"].figure is None
    assert 1.0 == rows["granian"].to_best.middle


def test_who_is_left_out_is_named_with_the_reason() -> None:
    board = make_board([run("granian", 10.0), Run("hello", "bjoern", 1, "did not start")], HELLO)

    table = board_to_markdown(board)

    assert "Left out: **bjoern**, did not start." in table


def test_remark_stands_below_the_table() -> None:
    board = make_board([run("bjoern", 8.0)._replace(remark="closes the connection after each answer")], HELLO)

    assert "**bjoern** closes the connection after each answer." in board_to_markdown(board)


def test_column_in_which_nothing_stands_is_not_shown() -> None:
    table = board_to_markdown(make_board([run("bjoern", 8.0)._replace(rate=1000.0)], HELLO))

    assert "requests/s" in table
    assert "p99" not in table
    assert "floor" not in table
