"""What came out, as Markdown and as JSON: medians over the rounds, and each run as it was."""

import json
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from bench.match import Run
from bench.peers import FLOOR, PEERS
from bench.scenarios import Scenario

RIVALS = frozenset(peer.name for peer in PEERS if peer.rival)


class Row(NamedTuple):
    """One server in one scenario: medians of the runs that count, and why others do not."""

    server: str
    counted: int
    figure: float | None = None
    least: float | None = None
    most: float | None = None
    to_best: float | None = None
    to_floor: float | None = None
    rate: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    memory_mib: float | None = None
    faults: tuple[str, ...] = ()


class Board(NamedTuple):
    """All servers in one scenario, the best first, and those that did not finish last."""

    name: str
    title: str
    unit: str
    rows: tuple[Row, ...]


def make_boards(runs: Sequence[Run], scenarios: Iterable[Scenario]) -> list[Board]:
    """Return a board for each scenario of which there are runs."""
    by_scenario = {scenario: [run for run in runs if run.scenario == scenario.name] for scenario in scenarios}
    return [make_board(found, scenario) for scenario, found in by_scenario.items() if found]


def make_board(runs: Sequence[Run], scenario: Scenario) -> Board:
    servers = dict.fromkeys(run.server for run in runs)
    rows = [make_row(server, [run for run in runs if run.server == server]) for server in servers]
    best = min((row.figure for row in rows if row.server in RIVALS and row.figure), default=None)
    floor = next((row.figure for row in rows if row.server == FLOOR.name), None)
    rows = [row._replace(to_best=ratio(row.figure, best), to_floor=ratio(row.figure, floor)) for row in rows]
    return Board(scenario.name, scenario.title, scenario.unit, tuple(sorted(rows, key=standing)))


def make_row(server: str, runs: Sequence[Run]) -> Row:
    """A server of which one run was wrong is out: its other runs may have been luck."""
    faults = tuple(dict.fromkeys(run.fault for run in runs if run.fault))
    if faults:
        return Row(server, 0, faults=faults)
    figures = [run.figure for run in runs if run.figure is not None]
    medians = {name: middle(runs, name) for name in ("figure", "rate", "p50_ms", "p99_ms", "memory_mib")}
    return Row(server, len(figures), least=min(figures), most=max(figures), **medians)


def middle(runs: Sequence[Run], name: str) -> float | None:
    values = [value for run in runs if (value := getattr(run, name)) is not None]
    return median(values) if values else None


def ratio(figure: float | None, other: float | None) -> float | None:
    return figure / other if figure and other else None


def standing(row: Row) -> float:
    return float("inf") if row.figure is None else row.figure


def to_json(boards: Sequence[Board], runs: Sequence[Run], circumstances: dict[str, Any]) -> str:
    values = {
        "circumstances": circumstances,
        "boards": [board._asdict() | {"rows": [row._asdict() for row in board.rows]} for board in boards],
        "runs": [run._asdict() for run in runs],
    }
    return json.dumps(values, indent=1, ensure_ascii=False)


def to_markdown(boards: Sequence[Board], circumstances: dict[str, Any]) -> str:
    return "\n\n".join([describe(circumstances), *map(board_to_markdown, boards)]) + "\n"


def describe(circumstances: dict[str, Any]) -> str:
    """Return the list that says where and how this was measured."""
    return "# Measurements\n\n" + "\n".join(f"- {name}: {value}" for name, value in circumstances.items())


def board_to_markdown(board: Board) -> str:
    heads = [board.unit, "least – most", "× best peer", "× C floor", "requests/s", "p50 ms", "p99 ms", "memory MiB", "runs"]
    lines = [f"## {board.title}", "", row_to_markdown("server", *heads), "|---|" + "---:|" * len(heads)]
    lines += [counted_to_markdown(row) for row in board.rows if row.figure is not None]
    lines += [f"\nLeft out: **{row.server}**, {'; '.join(row.faults)}." for row in board.rows if row.figure is None]
    return "\n".join(lines)


def counted_to_markdown(row: Row) -> str:
    span = f"{show(row.least)} – {show(row.most)}"
    values = (row.rate, row.p50_ms, row.p99_ms, row.memory_mib)
    ratios = (f"{each:.2f}" if each else "" for each in (row.to_best, row.to_floor))
    return row_to_markdown(row.server, show(row.figure), span, *ratios, *map(show, values), str(row.counted))


def row_to_markdown(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def show(value: float | None) -> str:
    """Return three digits that count, and thousands apart."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
