"""Lines that a stranger can make us write are rationed."""

import logging

import pytest

from greenserve.log import ration
from greenserve.log.ration import Ration


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(ration, "time", clock)
    return clock


@pytest.fixture
def lines():
    class Lines(logging.Handler):
        def __init__(self):
            super().__init__()
            self.seen = []

        def emit(self, record):
            self.seen.append(record.getMessage())

    return Lines()


@pytest.fixture
def logger(lines):
    logger = logging.Logger("ration", logging.INFO)
    logger.addHandler(lines)
    return logger


def test_no_more_than_the_ration_is_written_in_a_second(clock, logger, lines):
    rationed = Ration(logger, 2)

    for number in range(5):
        rationed.info("line %d", number)

    assert ["line 0", "line 1"] == lines.seen


def test_what_was_held_back_is_counted_with_the_next(clock, logger, lines):
    rationed = Ration(logger, 1)
    for _ in range(5):
        rationed.info("one")
    clock.now += 1

    rationed.info("two")

    assert ["one", "4 more lines like the next were held back", "two"] == lines.seen


def test_a_level_that_is_off_costs_nothing(clock, logger, lines):
    logger.setLevel(logging.WARNING)

    Ration(logger, 1).info("one")

    assert [] == lines.seen
