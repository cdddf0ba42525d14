"""When a worker asks for its replacement, and when it leaves. The clock is told, where it matters."""

import os

import pytest

from greenserve.config import Config
from greenserve.mailbox import Retire
from greenserve.status import Scoreboard
from greenserve.worker import lifetime
from greenserve.worker.lifetime import SPREAD, Lifetime, measure_memory


class Stage:
    """A lifetime, the requests it counts at the pace it is told, and what it asked for."""

    def __init__(self, monkeypatch, boot=1.0, **settings):
        self.now = 1000.0
        monkeypatch.setattr(lifetime.time, "monotonic", lambda: self.now)
        self.scoreboard = Scoreboard(2)
        self.row = self.scoreboard.lend(0)
        self.row["born_ms"] = int((self.now - boot) * 1000)
        self.row["accepting"] = 1
        self.connections = []
        self.asked = []
        self.left = []
        self.lifetime = Lifetime(
            Config(**settings),
            self.row,
            self.scoreboard,
            self.connections,
            self.asked.append,
            lambda: self.left.append(self.served),
        )
        self.served = 0

    def serve(self, requests, seconds=0.0):
        """Serve so many requests, *seconds* after one another."""
        for _ in range(requests):
            self.now += seconds
            self.served += 1
            self.lifetime.count()


@pytest.fixture
def stage(monkeypatch):
    return lambda **settings: Stage(monkeypatch, **settings)


def test_replacement_is_asked_for_once_and_ahead_of_the_end(stage):
    """A boot lasts one second, so not 3 seconds before the last request but 1.5; it looks every 15 requests."""
    one = stage(max_requests=300)

    one.serve(270, seconds=0.1)
    early = [*one.asked]
    one.serve(30, seconds=0.1)

    assert [] == early
    assert [Retire("it has served 285 of its 300 requests", lingers=True)] == one.asked


@pytest.mark.parametrize("boot", [0.1, 5.0])
def test_replacement_is_asked_for_ahead_by_the_latest_boot(stage, boot):
    """Ours was while nobody was served, or loaded what others are forked from."""
    one = stage(max_requests=300)
    youngest = one.scoreboard.lend(1)
    for column, value in (("accepting", 1), ("born_ms", one.row["born_ms"] + 1), ("boot_ms", int(boot * 1000))):
        youngest[column] = value

    while not one.asked:
        one.serve(1, seconds=0.1)

    # Looked at every 1.5 s.
    ahead = 30.0 - one.served * 0.1
    assert 2 * boot + 0.5 - 1.5 <= ahead <= 2 * boot + 0.5


def test_replacement_is_asked_for_at_the_end_if_the_pace_is_slow(stage):
    one = stage(max_requests=3)

    one.serve(2, seconds=60)
    early = [*one.asked]
    one.serve(1, seconds=60)

    assert [] == early
    assert [Retire("it has served 3 of its 3 requests", lingers=True)] == one.asked


def test_worker_goes_on_until_it_is_relieved_and_says_so_once(stage, caplog):
    one = stage(max_requests=100, max_requests_jitter=20)

    one.serve(500)
    late = [*one.left]
    one.lifetime.relieve()

    assert [] == late
    assert [500] == one.left
    assert ["121 requests served, more than max_requests allows: no replacement is ready yet"] == caplog.messages


@pytest.mark.parametrize("jitter", [0, 50])
def test_relieved_worker_leaves_once_between_least_and_most(stage, jitter):
    one = stage(max_requests=100, max_requests_jitter=jitter)
    one.serve(50)

    one.lifetime.relieve()
    one.serve(200)

    assert 1 == len(one.left)
    assert 100 <= one.left[0] <= 100 + jitter


def test_each_open_connection_may_still_bring_a_request(stage):
    one = stage(max_requests=100, max_requests_jitter=50)
    one.connections += range(45)
    one.lifetime.relieve()

    one.serve(200)

    assert [100] == one.left


def test_requests_in_flight_belong_to_the_life(stage):
    one = stage(max_requests=100)
    one.row["in_flight"] = 10
    one.lifetime.relieve()

    one.serve(200)

    assert 90 <= one.left[0] <= 92


def test_old_worker_asks_once(stage):
    one = stage(max_worker_age=100.0)

    one.lifetime.tick(one.now + 99)
    young = [*one.asked]
    for seconds in (1, 2):
        one.lifetime.tick(one.now + 100 * (1 + SPREAD) + seconds)

    assert [] == young
    assert [Retire("it is 111 s old")] == one.asked


def test_worker_that_takes_much_memory_asks_and_one_that_takes_more_gets_no_grace(stage, monkeypatch):
    one = stage(max_worker_rss=100 << 20, max_worker_rss_hard=200 << 20)

    for period, size in enumerate([99, 100, 150, 200, 250]):
        monkeypatch.setattr(lifetime, "measure_memory", lambda kind, size=size: size << 20)
        one.lifetime.tick(one.now + period * lifetime.PERIOD)

    assert [
        Retire("it takes 100 MiB of memory"),
        Retire("it takes 200 MiB of memory, and gets no time to finish", grace=0.0),
    ] == one.asked


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="the kernel does not tell")
def test_what_is_shared_counts_less_by_pss():
    assert 0 < measure_memory("pss") <= measure_memory("rss") * 1.1
