"""Requests whose time is over: each is named before it is ended, with the place where it is.

Nothing is kept for this while requests run; it is all found at the end.
"""

import logging
from collections.abc import Iterable
from types import FrameType
from typing import NamedTuple

from greenserve.worker.frames import describe_stack

error_log = logging.getLogger("greenserve.error")

#: So many are shown in full; more say the same again, as a rule.
SHOWN = 20


class Unfinished(NamedTuple):
    method: str
    target: str
    seconds: float
    #: The innermost frame of its greenlet, which waits; None if it runs, or has not begun.
    frame: FrameType | None


def log_unfinished(requests: Iterable[Unfinished]) -> None:
    """Say of each that it is cut off, the oldest first."""
    oldest = sorted(requests, key=lambda request: -request.seconds)
    for request in oldest[:SHOWN]:
        # The stack is part of the message, for its newlines are ours.
        where = describe_stack(request.frame).replace("%", "%%")
        error_log.warning(f"%s %s has taken {request.seconds:.1f} s, and is cut off{where}", request.method, request.target)
    if oldest[SHOWN:]:
        error_log.warning("%d more requests were still in progress, and are cut off", len(oldest) - SHOWN)
