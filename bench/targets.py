"""What greenserve is meant to reach, and whether it does.

Each target is a line of TARGETS. It holds for the median of the ratios, as
they were measured, not as they are rounded for the table.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from bench.match import Run
from bench.peers import BJOERN, COMPILED, FASTPYSGI, FASTWSGI, FLOOR, GEVENT, GRANIAN, GTHREAD, PLAIN, PYWSGI, Peer
from bench.report import RIVALS, Board, Ratio, compare, find_best, row_to_markdown, show, summarise
from bench.scenarios import SCENARIOS

TITLES = {scenario.name: scenario.title for scenario in SCENARIOS}


class Kind(Enum):
    """What is measured, and on which side of the bound it has to be."""

    COST = "cost"
    RATE = "rate"
    #: Requests per second over those that would come if nobody waited in vain.
    SHARE_OF_IDEAL = "share of ideal"
    #: The figure of the scenario itself.
    FIGURE = "figure"

    @property
    def is_least(self) -> bool:
        return self in (Kind.RATE, Kind.SHARE_OF_IDEAL)


class Group(NamedTuple):
    """Peers of which the best is meant."""

    name: str
    members: frozenset[str]


#: All that do the same work: who does less is left out of the scenario.
BEST = Group("the best peer", RIVALS)
BLOCKING = Group("the best that blocks", frozenset(peer.name for peer in (BJOERN, FASTWSGI, FASTPYSGI)))


class Target(NamedTuple):
    scenario: str
    bound: float
    against: Peer | Group | None = None
    kind: Kind = Kind.COST
    server: Peer = COMPILED


TARGETS = (
    Target("hello", 0.95, BEST),
    Target("hello", 1.2, FLOOR),
    Target("browser", 0.95, BEST),
    Target("browser", 1.35, FLOOR),
    Target("flask", 1.02, BJOERN),
    Target("flask", 0.75, GRANIAN),
    Target("flask", 0.4, GEVENT),
    Target("access-log", 0.5, GRANIAN),
    Target("access-log", 0.12, GEVENT),
    Target("sleep", 0.35, PYWSGI),
    Target("sleep", 0.25, GEVENT),
    Target("sleep", 0.95, kind=Kind.SHARE_OF_IDEAL),
    Target("post", 1.0, BEST),
    Target("large", 1.0, BEST),
    Target("stream", 1.0, BEST),
    Target("database", 1.02, BEST),
    Target("database", 1.5, GEVENT, Kind.RATE),
    Target("database-slow", 5, BLOCKING, Kind.RATE),
    Target("file", 1.1, GTHREAD),
    Target("file-beside-readers", 1.1, GTHREAD),
    Target("close", 1.05, BJOERN),
    Target("idle", 7, kind=Kind.FIGURE),
    Target("idle-quiet", 2, kind=Kind.FIGURE),
    Target("hello", 0.2, GEVENT, server=PLAIN),
    Target("tls", 0.6, GEVENT),
    Target("balance-64", 1.15, kind=Kind.FIGURE),
    Target("balance-1000", 1.15, kind=Kind.FIGURE),
    Target("shares", 1.15, kind=Kind.FIGURE),
)


class Verdict(NamedTuple):
    target: Target
    #: None if it was not measured, or if one of the two does not count.
    measured: Ratio | None = None
    #: With whom it was compared.
    opponent: str = ""

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        reached = self.measured.middle - self.target.bound
        return reached >= 0 if self.target.kind.is_least else reached <= 0


def judge(target: Target, boards: Sequence[Board], runs: Sequence[Run]) -> Verdict:
    board = next((board for board in boards if board.name == target.scenario), None)
    ours = find_runs(runs, target.scenario, target.server.name)
    if not (board and ours) or any(run.fault for run in ours):
        return Verdict(target)
    if target.against is None:
        return Verdict(target, measure_alone(target.kind, ours, board))
    opponent = find_opponent(target, board)
    of = "rate" if target.kind is Kind.RATE else "figure"
    return Verdict(target, compare(ours, find_runs(runs, target.scenario, opponent), of), opponent)


def find_runs(runs: Sequence[Run], scenario: str, server: str) -> list[Run]:
    return [run for run in runs if (run.scenario, run.server) == (scenario, server)]


def measure_alone(kind: Kind, runs: Sequence[Run], board: Board) -> Ratio | None:
    if kind is Kind.SHARE_OF_IDEAL:
        return summarise([run.rate / board.ideal for run in runs if run.rate and board.ideal])
    return summarise([run.figure for run in runs if run.figure is not None])


def find_opponent(target: Target, board: Board) -> str:
    """Return whom the target means: the named one, or who does best in what it is about."""
    if isinstance(target.against, Peer):
        return target.against.name
    assert target.against
    if target.kind is Kind.RATE:
        rates = {row.rate: row.server for row in board.rows if row.rate and row.server in target.against.members}
        return rates[max(rates)] if rates else ""
    return find_best(board.rows, target.against.members)


def to_markdown(boards: Sequence[Board], runs: Sequence[Run]) -> str:
    lines = [row_to_markdown("scenario", "target", "measured", "met"), "|---|---|---|---|"]
    for verdict in (judge(target, boards, runs) for target in TARGETS):
        lines.append(verdict_to_markdown(verdict))
    return "\n".join(lines)


def list_missed(boards: Sequence[Board], runs: Sequence[Run]) -> str:
    """Return a list of the targets that were missed, or that none was."""
    missed = [verdict for target in TARGETS if (verdict := judge(target, boards, runs)).met is False]
    lines = [f"- {TITLES[each.target.scenario]}: {describe(each.target)}, and it is {each.measured}." for each in missed]
    return "\n".join(lines) or "Every target that was measured is met."


def verdict_to_markdown(verdict: Verdict) -> str:
    target = verdict.target
    form = "" if target.server is COMPILED else ", plain Python"
    measured = f"{verdict.measured}" if verdict.measured else "–"
    named = f", {verdict.opponent}" if isinstance(target.against, Group) and verdict.opponent else ""
    met = {True: "yes", False: "**no**", None: "not measured"}[verdict.met]
    return row_to_markdown(TITLES[target.scenario] + form, describe(target), measured + named, met)


def describe(target: Target) -> str:
    """Return the target in words."""
    side = "at least" if target.kind.is_least else "at most"
    bound = show(target.bound).rstrip("0").rstrip(".")
    match target.kind:
        case Kind.FIGURE:
            return f"{side} {bound}{' KiB each' if target.scenario.startswith('idle') else ' × the mean'}"
        case Kind.SHARE_OF_IDEAL:
            return f"{side} {target.bound:.0%} of the ideal requests/s"
    assert target.against
    return f"{side} {bound} × {target.against.name}{', requests/s' if target.kind is Kind.RATE else ''}"
