"""The workers: how many there are, what each may hold, and how long each lives."""

import dataclasses
from typing import Literal

from greenserve.cpus import count_usable_cpus
from greenserve.kinds import Choice, Kind, Refused, Seconds, Several, Size, Switch, Text, Whole
from greenserve.setting import WORKERS, setting

#: How many workers: a number, or as many as there are CPUs to use.
WorkerCount = int | Literal["auto"]

#: More are a slip of the finger, and processes without end are how a machine is lost to it.
MOST_WORKERS = 10_000


class Workers(Kind[WorkerCount]):
    expects = 'a whole number from 1 up, or "auto"'
    metavar = "N"

    def parse(self, given: object) -> WorkerCount:
        if given == "auto":
            return "auto"
        number = Whole(1).parse(given)
        if number > MOST_WORKERS:
            raise Refused(f"is more workers than one server may have ({MOST_WORKERS})")
        return number


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class WorkerSettings:
    workers: int | Literal["auto"] = setting(
        Workers(),
        default=1,
        flags="-w --workers",
        group=WORKERS,
        help="How many worker processes; auto is one for each CPU that the machine and the container's quota grant.",
    )
    worker_connections: int = setting(
        Whole(1),
        default=10_000,
        flags="--worker-connections",
        group=WORKERS,
        help=(
            "How many connections a worker holds at once. Past it the longest idle one is let go for a new one; if "
            "none is idle, new ones wait in the backlog."
        ),
    )
    connections_per_address: int = setting(
        Whole(),
        default=0,
        flags="--connections-per-address",
        group=WORKERS,
        help="How many connections one client address may have in a worker; more are closed at once. 0 is any number.",
    )
    requests_in_flight: int = setting(
        Whole(),
        default=0,
        flags="--requests-in-flight",
        group=WORKERS,
        help=(
            "How many requests may be inside the application of a worker at once, as opposed to connections; more "
            "wait in line. 0 is as many as there are connections."
        ),
    )
    request_queue: int = setting(
        Whole(),
        default=1000,
        flags="--request-queue",
        group=WORKERS,
        help="How many requests wait in line in a worker once requests_in_flight are inside; more are answered 503.",
    )
    max_requests: int = setting(
        Whole(),
        default=0,
        flags="--max-requests",
        group=WORKERS,
        help="How many requests a worker serves before another takes its place; 0 is no end.",
    )
    max_requests_jitter: int = setting(
        Whole(),
        default=0,
        flags="--max-requests-jitter",
        group=WORKERS,
        help="The most that is added to max_requests by chance, so that workers are not replaced all at once.",
    )
    max_worker_age: float = setting(
        Seconds(),
        default=0.0,
        flags="--max-worker-age",
        group=WORKERS,
        unit="seconds",
        help="How long a worker serves before another takes its place, and up to a tenth more by chance; 0 is no end.",
    )
    max_worker_rss: int = setting(
        Size(),
        default=0,
        flags="--max-worker-rss",
        group=WORKERS,
        unit="bytes",
        help="How much memory a worker may take before another takes its place; 0 is any amount.",
    )
    max_worker_rss_hard: int = setting(
        Size(),
        default=0,
        flags="--max-worker-rss-hard",
        group=WORKERS,
        unit="bytes",
        help=(
            "How much memory a worker may take before it is ended as soon as another is ready, with no time to finish its "
            "requests; 0 is any amount."
        ),
    )
    worker_memory: str = setting(
        Choice("rss", "pss", metavar="HOW"),
        default="rss",
        flags="--worker-memory",
        group=WORKERS,
        help=(
            "How a worker's memory is measured: rss is all that it has in memory, pss divides what is shared by the number "
            "of those who share it, and takes longer to measure."
        ),
    )
    max_surge: int = setting(
        Whole(),
        default=0,
        flags="--max-surge",
        group=WORKERS,
        help=(
            "How many workers more than wanted there may be at a time while some are replaced: a new one is ready before an "
            "old one leaves. 0 is as many as there are workers, so that a reload takes as long as one boot."
        ),
    )
    warmup: tuple[str, ...] = setting(
        Several(Text("a path such as /healthz, or a URL", "PATH")),
        default=(),
        flags="--warmup",
        group=WORKERS,
        help=(
            "What a new worker serves to itself before it is ready, so that no client waits for it; may be repeated. If the "
            "application fails there or answers with a status from 400 on, the worker does not start. A URL says which Host "
            "and scheme the application sees."
        ),
    )
    canary: float = setting(
        Seconds(),
        default=0.0,
        flags="--canary",
        group=WORKERS,
        unit="seconds",
        help=(
            "How long one worker serves alone with new code before others follow; if it dies, or answers too often with "
            "errors, the old code stays. 0 is no such trial, and then old workers leave one second after new ones are ready."
        ),
    )
    canary_errors: int = setting(
        Whole(0, 100),
        default=10,
        flags="--canary-errors",
        group=WORKERS,
        unit="percent",
        help="The largest share of answers with a status from 500 on that a canary may give.",
    )
    preload_app: bool = setting(
        Switch(),
        default=False,
        flags="--preload",
        group=WORKERS,
        help=(
            "Load the application once for each generation, and fork the workers from what is loaded: they share its memory, and "
            "a replacement starts at once."
        ),
    )
    sendfile: bool = setting(
        Switch(),
        default=True,
        flags="--sendfile",
        group=WORKERS,
        help="Let the kernel send the files that applications give to wsgi.file_wrapper.",
    )

    @property
    def resolved_workers(self) -> int:
        """How many workers there are to be: "auto" is what the machine and the container grant now."""
        return count_usable_cpus() if self.workers == "auto" else self.workers
