"""Put what was measured into docs/explanation/performance.md: `python -m bench.document [RESULTS]`.

The tables stand between comments, `<!-- measured: NAME -->` and `<!-- end -->`;
the words around them are people's. The runs go beside the page, so that it can
be made again from them, and so that a test sees when the two do not agree.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.environment import BIN, ROOT
from bench.report import board_to_markdown, list_circumstances, make_boards
from bench.results import Results, all_runs, join_circumstances, read_results, write_results
from bench.scenarios import SCENARIOS
from bench.targets import list_missed
from bench.targets import to_markdown as targets_to_markdown

PAGE = ROOT / "docs" / "explanation" / "performance.md"
RUNS = PAGE.with_suffix(".json")
PLOT = PAGE.with_suffix(".svg")

NOTHING = "*Not measured yet.*"

_PLACE = re.compile(r"(<!-- measured: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    document(Path(sys.argv[1]) if sys.argv[1:] else RUNS)
    return 0


def document(path: Path) -> None:
    """Write page, runs and plot from the results in *path*."""
    results = read_results(path)
    if not results:
        sys.exit(f"{path} has no results")
    write_results(RUNS, results)
    draw(RUNS, PLOT)
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), make_parts(results)), encoding="utf-8")


def draw(path: Path, *pictures: Path) -> None:
    subprocess.run(
        [BIN / "python", "-m", "bench.plot", path.absolute(), *(each.absolute() for each in pictures)], cwd=ROOT, check=True
    )


def make_parts(results: Results) -> dict[str, str]:
    """Return what is put into the page, by the name of its place."""
    runs = all_runs(results)
    boards = make_boards(runs, SCENARIOS)
    parts = {
        "targets": targets_to_markdown(boards, runs),
        "missed": list_missed(boards, runs),
        "circumstances": list_circumstances(join_circumstances(results)),
        "plot": f"![Every scenario as bars, the cost against concurrency as lines]({PLOT.name})",
    }
    return parts | {board.name: board_to_markdown(board) for board in boards}


def fill(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with each place filled anew."""
    return _PLACE.sub(lambda place: f"{place[1]}\n{parts.get(place[2], NOTHING)}\n\n{place[3]}", page)


if __name__ == "__main__":
    sys.exit(main())
