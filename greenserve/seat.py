"""What the master hands a worker at its birth, and nothing else passes between them but the mailbox."""

import socket
from typing import NamedTuple

from greenserve.config import Config
from greenserve.hooks import HookWorker
from greenserve.mailbox import Mailbox, MoldMailbox
from greenserve.status import Row, Scoreboard


class Seat(NamedTuple):
    """One worker's place in the fleet."""

    #: From 1; what the log calls the worker. A replacement gets a number of its own.
    number: int
    #: Which load of the application this is, from 1; a reload adds one.
    generation: int
    config: Config
    #: Bound, listening, non-blocking, and shared with every other worker.
    listeners: list[socket.socket]
    mailbox: Mailbox
    #: This worker's own row, and the table where it sees the others'.
    row: Row
    scoreboard: Scoreboard
    #: Random, and the same for all workers of one master.
    secret: bytes
    #: This worker as hooks know it.
    worker: HookWorker
    #: The mold's end of a mailbox, if this worker is to load the application once for all.
    mold: MoldMailbox | None = None
