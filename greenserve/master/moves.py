"""What the fleet answers when it is asked what to do. The master carries these out, one after the other."""

from typing import NamedTuple


class Fork(NamedTuple):
    number: int
    generation: int


class Relieve(NamedTuple):
    """Tell a worker that its replacement is ready: it leaves by itself when it has served what it may."""

    pid: int


class Drain(NamedTuple):
    """Ask a worker to finish what it has accepted, and exit."""

    pid: int
    grace: float


class Examine(NamedTuple):
    """Find out where a worker is stuck; what it says is read when it is killed, or has come back."""

    pid: int
    seconds: float


class Abort(NamedTuple):
    """Let a stuck worker say its last words, and end. `why` is for the log."""

    pid: int
    why: str


class Kill(NamedTuple):
    """End a process now. `why` is for the log, and empty where the reason has been told."""

    pid: int
    why: str


class Settled(NamedTuple):
    """Say that all of this generation is ready and no worker of another accepts; said once."""

    generation: int


class Abandoned(NamedTuple):
    """Say that `generation` is given up, and that `kept` goes on in its place. `why` is the rest of a sentence."""

    generation: int
    kept: int
    why: str


class LongBoot(NamedTuple):
    """Say that a worker is still loading the application."""

    pid: int
    seconds: float


class CrashLoop(NamedTuple):
    """Say that workers die as soon as they start, and that each next try comes after a longer pause."""


Move = Fork | Relieve | Drain | Examine | Abort | Kill | Settled | Abandoned | LongBoot | CrashLoop
