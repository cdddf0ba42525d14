"""One worker as the fleet knows it, and what is wanted of all of them. Values only."""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

#: A worker that dies before it was ready for this long speaks against its code.
#: Longer would slow the replacement of workers that something kills from outside.
PROBATION = 1.0


class Plan(NamedTuple):
    """What is wanted. Times are in seconds."""

    generation: int
    size: int
    graceful_timeout: float = 30.0
    #: Extra workers at a time; 0 is as many as are wanted, so that a reload takes
    #: as long as one boot. The price is their memory.
    max_surge: int = 0
    #: How long everybody goes on accepting once the fleet is to stop.
    drain_delay: float = 0.0
    #: How long new code serves beside the old before the old gives way.
    trial: float = PROBATION
    #: Whether one worker alone tries new code, and the largest share of errors it may answer with, in percent.
    canary: bool = False
    canary_errors: int = 100
    #: Whether a stuck worker may say its last words before it is killed.
    aborts: bool = False


@dataclass
class Worker:
    pid: int
    number: int
    generation: int
    born: float
    #: When the long boot is mentioned next.
    mention_at: float
    #: Since when it serves; None while it loads the application.
    ready_at: float | None = None
    #: It goes on serving, and asks for a replacement.
    retiring: bool = False
    #: Once replaced it leaves by itself, having served what it is to serve.
    lingers: bool = False
    #: When it was told that its replacement is ready; None until then.
    relieved_at: float | None = None
    #: The most seconds it gets to finish; fewer than others if it is dangerous to keep.
    grace: float = inf
    #: When its hub was found blocked: it serves nobody, but may come back.
    stuck_at: float | None = None
    #: It was asked for its last words.
    aborted: bool = False
    #: When it is killed; None until it was asked to leave.
    deadline: float | None = None
    #: Why it is killed then.
    why: str = ""
    killed: bool = False
    #: It said itself that it accepts no more.
    withdrawn: bool = False
    #: It said itself that it cannot start.
    failed: bool = False

    @property
    def serving(self) -> bool:
        return self.deadline is None

    @property
    def ready(self) -> bool:
        return self.ready_at is not None

    def proven_at(self, trial: float = PROBATION) -> float:
        return inf if self.ready_at is None else self.ready_at + trial
