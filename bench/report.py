"""What came out: medians over the rounds, ratios within each round, as values and as Markdown.

A ratio is taken between two servers in the same round, when they met the same
machine, and its median is what counts. The ratio of two medians would compare
a quiet moment of one with a noisy one of the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median, quantiles
from typing import Any, NamedTuple

from bench.match import Run
from bench.peers import FLOOR, PEERS
from bench.scenarios import Scenario

RIVALS = frozenset(peer.name for peer in PEERS if peer.rival)


class Ratio(NamedTuple):
    """The median over the rounds, and the quartiles."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} – {self.high:.2f})"


class Row(NamedTuple):
    """One server in one scenario: medians of the runs that count, and why others do not."""

    server: str
    counted: int
    figure: float | None = None
    least: float | None = None
    most: float | None = None
    to_best: Ratio | None = None
    to_floor: Ratio | None = None
    rate: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    memory_mib: float | None = None
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Board(NamedTuple):
    """All servers in one scenario, the best first, and those that did not finish last."""

    name: str
    title: str
    unit: str
    rows: tuple[Row, ...]
    #: Requests per second if nobody waits in vain.
    ideal: float | None = None


def make_boards(runs: Sequence[Run], scenarios: Iterable[Scenario]) -> list[Board]:
    """Return a board for each scenario of which there are runs."""
    found = ((scenario, [run for run in runs if run.scenario == scenario.name]) for scenario in scenarios)
    return [make_board(of_it, scenario) for scenario, of_it in found if of_it]


def make_board(runs: Sequence[Run], scenario: Scenario) -> Board:
    by_server = {server: [run for run in runs if run.server == server] for server in dict.fromkeys(run.server for run in runs)}
    rows = [make_row(server, of_it) for server, of_it in by_server.items()]
    best = find_best(rows)
    rows = [
        row._replace(
            to_best=compare(by_server[row.server], by_server.get(best, ())),
            to_floor=compare(by_server[row.server], by_server.get(FLOOR.name, ())),
        )
        for row in rows
    ]
    return Board(scenario.name, scenario.title, scenario.unit, tuple(sorted(rows, key=standing)), scenario.ideal)


def make_row(server: str, runs: Sequence[Run]) -> Row:
    """A server of which one run was wrong is out: its other runs may have been luck."""
    faults = tuple(dict.fromkeys(run.fault for run in runs if run.fault))
    if faults:
        return Row(server, 0, faults=faults)
    figures = [run.figure for run in runs if run.figure is not None]
    medians = {name: middle(runs, name) for name in ("figure", "rate", "p50_ms", "p99_ms", "memory_mib")}
    remarks = tuple(dict.fromkeys(run.remark for run in runs if run.remark))
    return Row(server, len(figures), least=min(figures), most=max(figures), remarks=remarks, **medians)


def middle(runs: Sequence[Run], name: str) -> float | None:
    values = [value for run in runs if (value := getattr(run, name)) is not None]
    return median(values) if values else None


def find_best(rows: Iterable[Row], among: frozenset[str] = RIVALS) -> str:
    """Return who of *among* has the least figure; empty if none of them counts."""
    return min((row for row in rows if row.server in among and row.figure), key=standing, default=Row("", 0)).server


def compare(runs: Sequence[Run], others: Sequence[Run], of: str = "figure") -> Ratio | None:
    """Return how *runs* compare with those of another server, round by round; None if one of the two does not count."""
    if any(run.fault for run in (*runs, *others)):
        return None
    beside = {run.round: getattr(run, of) for run in others}
    ratios = [getattr(run, of) / beside[run.round] for run in runs if getattr(run, of) and beside.get(run.round)]
    return summarise(ratios)


def summarise(values: Sequence[float]) -> Ratio | None:
    if len(values) < 2:
        return Ratio(values[0], values[0], values[0]) if values else None
    low, mid, high = quantiles(values, n=4, method="inclusive")
    return Ratio(mid, low, high)


def standing(row: Row) -> float:
    return float("inf") if row.figure is None else row.figure


def to_markdown(boards: Sequence[Board], circumstances: Mapping[str, Any], targets: str) -> str:
    parts = ["# Measurements", list_circumstances(circumstances), "## Targets", targets]
    for board in boards:
        parts += [f"## {board.title}", board_to_markdown(board)]
    return "\n\n".join(parts) + "\n"


def list_circumstances(circumstances: Mapping[str, Any]) -> str:
    """Return the list that says where and how this was measured."""
    return "\n".join(f"- {name}: {value}" for name, value in circumstances.items())


def board_to_markdown(board: Board) -> str:
    """Return the table, without the columns in which nothing stands, and what is to be said of single servers."""
    table = [row_to_cells(row, board) for row in board.rows if row.figure is not None]
    heads = [head for head in (table[0] if table else ()) if any(cells[head] for cells in table)]
    lines = [row_to_markdown(*heads), "|---|" + "---:|" * (len(heads) - 1)] if table else []
    lines += [row_to_markdown(*(cells[head] for head in heads)) for cells in table]
    lines += [f"\n**{row.server}** {'; '.join(row.remarks)}." for row in board.rows if row.remarks]
    lines += [f"\nLeft out: **{row.server}**, {'; '.join(row.faults)}." for row in board.rows if row.figure is None]
    return "\n".join(lines)


def row_to_cells(row: Row, board: Board) -> dict[str, str]:
    """Return what stands in each column, by its head."""
    of_ideal = f" ({row.rate / board.ideal:.0%} of the ideal)" if board.ideal and row.rate else ""
    return {
        "server": row.server,
        board.unit: show(row.figure),
        "least – most": f"{show(row.least)} – {show(row.most)}",
        "× best peer": str(row.to_best or ""),
        "× C floor": str(row.to_floor or ""),
        "requests/s": show(row.rate) + of_ideal,
        "p50 ms": show(row.p50_ms),
        "p99 ms": show(row.p99_ms),
        "memory MiB": show(row.memory_mib),
        "runs": str(row.counted),
    }


def row_to_markdown(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def show(value: float | None) -> str:
    """Return three digits that count, and thousands apart."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")
