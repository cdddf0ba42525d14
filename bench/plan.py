"""Who plays what, in which order, and how long that takes."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from bench.peers import Peer
from bench.scenarios import Scenario

#: Seconds of a match besides its load: start, questions before and after, end.
AROUND = 1.5


class Plan(NamedTuple):
    scenarios: Sequence[Scenario]
    peers: Sequence[Peer]
    rounds: int
    seconds: int

    def rounds_of(self, scenario: Scenario) -> int:
        return min(self.rounds, scenario.rounds or self.rounds)

    def order(self, scenario: Scenario) -> Iterator[tuple[int, Peer]]:
        """Yield the matches of a scenario, each with its round.

        Every second round goes through the servers backwards: what grows or falls while a round lasts
        is for one in this round and for the other in the next.
        """
        players = [peer for peer in self.peers if scenario.is_for(peer)]
        for number in range(1, self.rounds_of(scenario) + 1):
            yield from ((number, peer) for peer in (players if number % 2 else reversed(players)))

    def estimate(self) -> float:
        """Return about how many seconds all matches take."""
        return sum(AROUND + scenario.load.lasts(self.seconds) for scenario in self.scenarios for _ in self.order(scenario))


class Progress:
    """How much is left to do, at the pace of what is done."""

    def __init__(self, plan: Plan, now: float) -> None:
        self._plan = plan
        self._began = now
        self._done = 0

    def tell(self, now: float) -> str:
        """Return it after one more scenario."""
        self._done += 1
        done, left = (self._plan._replace(scenarios=part).estimate() for part in self._split())
        return f"{describe_time(left * (now - self._began) / done)} to go"

    def _split(self) -> tuple[Sequence[Scenario], Sequence[Scenario]]:
        return self._plan.scenarios[: self._done], self._plan.scenarios[self._done :]


def leave_out(scenarios: Sequence[Scenario], played: Collection[str]) -> list[Scenario]:
    return [scenario for scenario in scenarios if scenario.name not in played]


def describe_time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"about {minutes} minutes" if minutes > 1 else f"about {max(round(seconds), 1)} seconds"
