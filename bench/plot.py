"""The plot, from the results: `python -m bench.plot RESULTS FILE...`. It alone needs matplotlib."""

import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator

from bench import peers
from bench.report import Board, make_boards, show
from bench.results import all_runs, read_results
from bench.scenarios import SCENARIOS

COLUMNS = 3
WIDTH, HEIGHT = 5.2, 3.2

OURS, OURS_PLAIN, FLOOR, OTHERS = "#2a7f4f", "#8fc4a5", "#b8b8b8", "#7d93a8"
COLORS = {peers.COMPILED.name: OURS, peers.PLAIN.name: OURS_PLAIN, peers.FLOOR.name: FLOOR}

SERIES = re.compile(r"concurrency-(\d+)")

#: Letters as letters, not as curves: they can be found, and take less.
STYLE = {"svg.fonttype": "none"}


def main() -> None:
    results, *pictures = map(Path, sys.argv[1:])
    with matplotlib.rc_context(STYLE):
        figure = draw(make_boards(all_runs(read_results(results)), SCENARIOS))
        for picture in pictures:
            figure.savefig(picture, dpi=120)


def draw(boards: Sequence[Board]) -> Any:
    """Draw a panel of bars for each scenario, and one of lines for the cost against concurrency."""
    bars = [board for board in boards if not SERIES.fullmatch(board.name)]
    series = [board for board in boards if SERIES.fullmatch(board.name)]
    panels = len(bars) + bool(series)
    rows = max(1, math.ceil(panels / COLUMNS))
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(WIDTH * COLUMNS, HEIGHT * rows), layout="constrained", squeeze=False)
    places = list(axes.flat)
    for place, board in zip(places, bars, strict=False):
        draw_bars(place, board)
    if series:
        draw_lines(places[len(bars)], series)
    for place in places[panels:]:
        place.axis("off")
    return figure


def draw_bars(place: Any, board: Board) -> None:
    rows = [row for row in board.rows if row.figure is not None][::-1]
    figures = [row.figure for row in rows]
    spans = [[row.figure - row.least for row in rows], [row.most - row.figure for row in rows]]
    bars = place.barh([row.server for row in rows], figures, color=[color_of(row.server) for row in rows], xerr=spans)
    place.bar_label(bars, list(map(show, figures)), padding=3, fontsize=8)
    place.set(title=board.title, xlabel=board.unit)
    place.margins(x=0.15)
    tidy(place)


def draw_lines(place: Any, series: Sequence[Board]) -> None:
    """Draw cost against connections, one line for each server."""
    place.set_prop_cycle(color=matplotlib.colormaps["tab20"].colors)
    for server in dict.fromkeys(row.server for board in series for row in board.rows):
        if points := [point for board in series if (point := find_point(board, server))]:
            width = 2.5 if color_of(server) == OURS else 1
            place.plot(*zip(*points, strict=True), marker="o", markersize=3, label=server, linewidth=width)
    place.set(title="Hello, cost against concurrency", xlabel="connections", ylabel=series[0].unit, xscale="log", yscale="log")
    place.xaxis.set_major_formatter("{x:,.0f}")
    place.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    place.yaxis.set_major_formatter("{x:g}")
    place.yaxis.set_minor_formatter("")
    place.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1, 1))
    tidy(place)


def find_point(board: Board, server: str) -> tuple[int, float] | None:
    connections = int(board.name.rpartition("-")[2])
    figures = (row.figure for row in board.rows if row.server == server and row.figure)
    return next(((connections, figure) for figure in figures), None)


def color_of(server: str) -> str:
    return COLORS.get(server, OTHERS)


def tidy(place: Any) -> None:
    place.spines[["top", "right"]].set_visible(False)
    place.tick_params(which="both", labelsize=8)


if __name__ == "__main__":
    main()
