"""How many connections there may be, and which are let go first."""

import pytest

from greenserve.status import Scoreboard
from greenserve.worker.connections import Connections


class Member:
    def __init__(self, address=""):
        self.address = address
        self.evicted = False
        self.group = None

    def evict(self):
        self.evicted = True
        self.group.dismiss(self)


@pytest.fixture
def row():
    return Scoreboard(1).row(0)


def gather(row, limit=10, per_address=0):
    return Connections(limit, per_address, row, lambda: None)


def admit(group, *members):
    for member in members:
        member.group = group
    return [group.admit(member) for member in members]


@pytest.mark.security("idle keep-alive never starves new clients")
def test_the_longest_idle_makes_room(row):
    group = gather(row, limit=3)
    busy, older, newer = Member(), Member(), Member()
    admit(group, busy, older, newer)
    group.rest(newer)
    group.rest(older)
    group.wake(newer)
    group.rest(newer)

    assert group.has_room()
    assert (False, True, False) == (busy.evicted, older.evicted, newer.evicted)
    assert 1 == row["connections_evicted"]


@pytest.mark.security("per-IP and global connection caps")
def test_there_is_no_room_when_all_are_busy(row):
    group = gather(row, limit=2)
    admit(group, Member(), Member())

    assert not group.has_room()


@pytest.mark.security("per-IP and global connection caps")
def test_one_address_cannot_take_all(row):
    group = gather(row, per_address=2)
    first = Member("192.0.2.1")

    assert [True, True, False, True] == admit(group, first, Member("192.0.2.1"), Member("192.0.2.1"), Member("192.0.2.2"))
    assert 1 == row["connections_over_address_limit"]

    group.dismiss(first)

    assert [True] == admit(group, Member("192.0.2.1"))
