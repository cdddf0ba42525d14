"""When a worker has lived long enough: by requests, by age, by memory.

It never just goes. It asks the master for a replacement, and goes on until that
is ready. Requests are counted to the number, so the replacement is asked for
ahead, by as much as boots last here, and the worker leaves by itself.

One that is not relieved in time goes on, for to stop would leave fewer workers
than are wanted; where a life is shorter than a boot nothing else is possible.
"""

import logging
import os
import time
from collections.abc import Callable, Sized
from math import inf
from random import randint, random

from greenserve.config import Config
from greenserve.mailbox import Retire
from greenserve.status import Row, Scoreboard

error_log = logging.getLogger("greenserve.error")

#: How often in a life of requests their pace is looked at.
LOOKS = 20

#: A replacement boots while we still serve, so it may take twice as long as the latest boot, and a moment.
SLOWER = 2.0
MOMENT = 0.5

#: Connections that may come in while we tell the others that we leave.
LATECOMERS = 8

#: Workers that were started together are not to leave together: up to this share is added to the age by chance.
SPREAD = 0.1

#: How often memory is measured, in seconds.
PERIOD = 5.0

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Lifetime:
    def __init__(
        self,
        config: Config,
        row: Row,
        scoreboard: Scoreboard,
        connections: Sized,
        ask: Callable[[Retire], object],
        leave: Callable[[], None],
    ) -> None:
        """*ask* sends to the master; *leave* is called when the last request but those on their way was served."""
        self._config = config
        self._row = row
        self._scoreboard = scoreboard
        self._connections = connections
        self._ask = ask
        self._leave = leave
        self._most = config.max_requests + config.max_requests_jitter
        self._goal = randint(config.max_requests, self._most)
        self._step = max(1, config.max_requests // LOOKS)
        self._served = 0
        self._relieved = False
        self._asked = False
        self._soft = config.max_worker_rss or inf
        self._hard = config.max_worker_rss_hard or inf
        self.begin(time.monotonic())

    def begin(self, now: float) -> None:
        """The worker is ready."""
        self._row["boot_ms"] = int(now * 1000) - self._row["born_ms"]
        self._looked = now, 0
        self._ready_at = now
        age = self._config.max_worker_age
        self._old_at = now + age * (1 + SPREAD * random()) if age else inf
        self._measure_at = now if min(self._soft, self._hard) < inf else inf

    # By requests.

    def count(self) -> None:
        """One more request was served; called only if there is a most."""
        self._served += 1
        if self._relieved:
            self._leave_in_time()
        elif not self._asked and (self._served % self._step == 0 or self._served + self._step >= self._config.max_requests):
            self._look_ahead(time.monotonic())
        if self._served == self._most + 1:
            error_log.warning("%d requests served, more than max_requests allows: no replacement is ready yet", self._served)

    def _look_ahead(self, now: float) -> None:
        """Ask for a replacement if at this pace the end comes before one could be there."""
        moment, served = self._looked
        self._looked = now, self._served
        seconds = (now - moment) / (self._served - served)
        left = self._config.max_requests - self._served
        if left * seconds <= SLOWER * self._latest_boot() + MOMENT:
            self._asked = True
            self._ask(Retire(f"it has served {self._served} of its {self._goal} requests", lingers=True))

    def _latest_boot(self) -> float:
        """Return how many seconds it took the youngest of all who serve now: our own boot may have been on a quieter machine."""
        columns = (self._scoreboard.column(name) for name in ("accepting", "born_ms", "boot_ms"))
        boots = [(born, boot) for accepting, born, boot in zip(*columns, strict=True) if accepting]
        return max(boots, default=(0, self._row["boot_ms"]))[1] / 1000

    def relieve(self) -> None:
        """The replacement is ready."""
        self._relieved = True
        self._leave_in_time()

    def _leave_in_time(self) -> None:
        """Leave when all that is on its way makes a whole life, and before every connection's next request makes it too long."""
        least = self._served + self._row["in_flight"]
        most = self._served + len(self._connections) + LATECOMERS
        if least >= self._config.max_requests and (self._served >= self._goal or most >= self._most):
            self._relieved = False
            self._leave()

    # By age and memory.

    def tick(self, now: float) -> None:
        """Look at what grows by itself; called now and then."""
        if now >= self._old_at:
            self._old_at = inf
            self._ask(Retire(f"it is {now - self._ready_at:.0f} s old"))
        if now >= self._measure_at:
            self._measure_at = now + PERIOD
            self._weigh(measure_memory(self._config.worker_memory))

    def _weigh(self, size: int) -> None:
        """Ask to be replaced past the limit, and past the hard one to get no grace, for there may be no memory to wait with."""
        if size >= self._soft:
            self._soft = inf
            self._ask(Retire(f"it takes {size >> 20} MiB of memory"))
        if size >= self._hard:
            self._hard = inf
            self._ask(Retire(f"it takes {size >> 20} MiB of memory, and gets no time to finish", grace=0.0))


def measure_memory(kind: str) -> int:
    """Return the bytes this process has in memory: "rss" is all of them, "pss" divides what is shared by those who share it."""
    if kind == "rss":
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * _PAGE
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))
