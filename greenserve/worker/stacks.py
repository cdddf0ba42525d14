"""Tells the master where this worker is, when it asks because the hub does not turn.

The handler is faulthandler's: it runs in C, whoever holds the GIL, and in a
deadlock too. It writes into memory that the master reads.
"""

import faulthandler
from contextlib import suppress

from greenserve.status import STACKS_SIGNAL, Row


def answer_examiner(row: Row) -> None:
    """Write all stacks to *row* whenever the signal comes. Without /proc there is no place for them."""
    with suppress(OSError):
        faulthandler.register(STACKS_SIGNAL, file=row.open_stacks(), all_threads=True, chain=False)
        row["tells_stacks"] = 1
