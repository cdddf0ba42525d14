"""Lets requests run asyncio beside each other: Django's and Flask's async views, `asyncio.run()`.

asyncio remembers the running loop of a thread, and to it all greenlets of a
worker are one thread: while one request's loop waits, the next request is told
that a loop is running already. So a loop that is about to wait puts away what
is known of it and takes it out again when it goes on.
"""

import selectors
import sys
from typing import Any

from gevent.selectors import GeventSelector


class LoopSelector(GeventSelector):  # type: ignore[misc]  # gevent has no types
    """What asyncio's loops wait in, after patching: the only place where one lets other greenlets run."""

    def select(self, timeout: float | None = None) -> Any:
        # Not imported before the application does: it takes a worker 5 MB that few need.
        events = sys.modules.get("asyncio.events")
        loop = None if events is None else events._get_running_loop()
        if events is None or loop is None:
            return super().select(timeout)
        hooks = sys.get_asyncgen_hooks()
        events._set_running_loop(None)
        sys.set_asyncgen_hooks(None, None)
        try:
            return super().select(timeout)
        finally:
            events._set_running_loop(loop)
            sys.set_asyncgen_hooks(*hooks)


def keep_loops_apart() -> None:
    """Make asyncio's loops wait in a LoopSelector from now on."""
    selectors.DefaultSelector = LoopSelector  # type: ignore[misc]
