"""What a test leaves behind in this process."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@pytest.fixture
def leaves_nothing() -> Iterator[None]:
    """Fail a test that leaves a greenlet or a descriptor behind in this process."""
    with nothing_left():
        yield


@contextmanager
def nothing_left() -> Iterator[None]:
    """Raise AssertionError if the block leaves a greenlet or a descriptor behind."""
    warm_up_hub()
    before = open_descriptors()
    # What is older is not looked at: late in a long run that was four fifths of the time of a test.
    gc.freeze()
    try:
        yield
        assert [] == living_greenlets()
    finally:
        gc.unfreeze()
    assert {} == {fd: name for fd, name in open_descriptors().items() if before.get(fd) != name}


def warm_up_hub() -> None:
    """Make what a hub makes once and keeps, so that no test is blamed for it."""
    gevent = sys.modules.get("gevent")
    if gevent is not None:
        gevent.sleep(0)


def living_greenlets() -> list[Any]:
    """Return the greenlets that have begun and not ended, but for those that are frozen."""
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return []
    gc.collect()
    # By type, since asking a weak proxy for its class asks what it stands for, which may be gone.
    return [found for found in gc.get_objects() if issubclass(type(found), greenlet.greenlet) and found]


def open_descriptors() -> dict[int, str]:
    """Return each open descriptor with what it stands for."""
    return {int(fd): name for fd in os.listdir("/proc/self/fd") if (name := read_descriptor(fd))}


def read_descriptor(fd: str) -> str:
    """Return what *fd* stands for; empty for the one that listed the directory and is gone."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:
        return ""
