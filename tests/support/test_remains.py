"""What a test leaves behind is found, and what was there before is not laid at its door."""

import os

import gevent
import pytest
from gevent.event import Event

from tests.support.remains import nothing_left


def test_greenlet_that_is_left_is_found() -> None:
    end = Event()
    left = []

    with pytest.raises(AssertionError, match="Greenlet"), nothing_left():
        left.append(begin(end))

    end.set()
    gevent.joinall(left)


def test_greenlet_that_was_there_before_is_not_found() -> None:
    end = Event()
    earlier = begin(end)

    with nothing_left():
        gevent.spawn(gevent.sleep, 0).join()

    end.set()
    earlier.join()


def test_descriptor_that_is_left_is_found() -> None:
    left = []

    with pytest.raises(AssertionError, match="/dev/null"), nothing_left():
        left.append(os.open(os.devnull, os.O_RDONLY))

    os.close(*left)


def begin(end: Event) -> gevent.Greenlet:
    """Return a greenlet that waits for the event."""
    begun = gevent.spawn(end.wait)
    gevent.sleep(0)
    return begun
