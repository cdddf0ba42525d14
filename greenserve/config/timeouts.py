"""How long something may take."""

import dataclasses

from greenserve.kinds import Maybe, Seconds, Whole
from greenserve.setting import TIMEOUTS, setting


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class TimeoutSettings:
    timeout: float = setting(
        Seconds(),
        default=30.0,
        flags="-t --timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a worker's hub may be stuck before the worker is replaced; 0 is for ever. Waiting is not being stuck.",
    )
    graceful_timeout: float = setting(
        Seconds(),
        default=30.0,
        flags="--graceful-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a draining worker may finish its exchanges before it is killed.",
    )
    tunnel_grace: float | None = setting(
        Maybe(Seconds()),
        default=None,
        flags="--tunnel-grace",
        group=TIMEOUTS,
        unit="seconds",
        help=(
            "How long a draining worker leaves a WebSocket to its application once the client was told goodbye; "
            "none, or more than graceful_timeout, is graceful_timeout."
        ),
    )
    drain_delay: float = setting(
        Seconds(),
        default=0.0,
        flags="--drain-delay",
        group=TIMEOUTS,
        unit="seconds",
        help=(
            "How long a server that was told to stop goes on accepting, for load balancers that need seconds to notice. "
            "graceful_timeout begins after it."
        ),
    )
    keepalive: float = setting(
        Seconds(),
        default=90.0,
        flags="--keep-alive",
        group=TIMEOUTS,
        unit="seconds",
        help=(
            "How long an idle connection is kept for its next request; 0 closes after each response. Longer than "
            "the 60 seconds of common load balancers, for the side that closes first must not be the one that is "
            "being sent a request."
        ),
    )
    queue_timeout: float = setting(
        Seconds(zero=False),
        default=5.0,
        flags="--queue-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a request waits in line for its turn before it is answered 503.",
    )
    minimum_rate: int = setting(
        Whole(),
        default=240,
        flags="--minimum-rate",
        group=TIMEOUTS,
        unit="bytes per second",
        help=(
            "What a client must send or take on average while the server waits for it, once content_timeout or "
            "write_timeout is over; 0 lets it trickle."
        ),
    )
    head_timeout: float = setting(
        Seconds(zero=False),
        default=30.0,
        flags="--head-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may take to send a whole request head, from its first byte.",
    )
    content_timeout: float = setting(
        Seconds(zero=False),
        default=30.0,
        flags="--content-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may pause while it sends content.",
    )
    write_timeout: float = setting(
        Seconds(zero=False),
        default=60.0,
        flags="--write-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may pause while it receives a response.",
    )
