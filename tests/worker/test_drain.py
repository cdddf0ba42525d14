"""How a worker ends, by hand and by chance. No socket, no greenlet, no clock."""

import random

import pytest

from greenserve.worker.drain import Draining, Step

GRACE = 30.0


def test_first_it_lets_the_listeners_go_and_tells_the_connections():
    draining = Draining()

    draining.begin(GRACE, 100.0)

    assert [Step.LEAVE] == draining.steps(100.0, 3, 0)
    assert 130.0 == draining.wake_at()


def test_it_waits_for_what_was_accepted():
    draining = Draining()
    draining.begin(GRACE, 100.0)
    draining.deafened()

    assert [Step.LEAVE, Step.SAY_WITHDRAWN] == draining.steps(100.0, 1, 0)
    assert [] == draining.steps(129.9, 1, 0)


def test_it_ends_with_the_last_connection():
    draining = Draining()
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(100.0, 1, 0)

    assert [Step.END] == draining.steps(101.0, 0, 0)
    assert draining.wake_at() is None


def test_without_connections_it_ends_no_sooner_than_the_listeners_are_let_go():
    draining = Draining()
    draining.begin(GRACE, 100.0)

    before = draining.steps(100.0, 0, 0)
    draining.deafened()

    assert [Step.LEAVE] == before
    assert [Step.SAY_WITHDRAWN, Step.END] == draining.steps(100.0, 0, 0)


def test_what_outlives_the_grace_is_named():
    draining = Draining()
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(100.0, 2, 0)

    assert [Step.NAME_UNFINISHED, Step.END] == draining.steps(130.0, 2, 0)


def test_the_master_hears_that_nobody_accepts_though_the_listeners_were_never_let_go():
    draining = Draining()
    draining.begin(GRACE, 100.0)
    draining.steps(100.0, 0, 0)

    assert [Step.SAY_WITHDRAWN, Step.END] == draining.steps(130.0, 0, 0)
    draining.deafened()
    assert [] == draining.steps(130.0, 0, 0)


@pytest.mark.parametrize(("again", "end"), [(5.0, 106.0), (GRACE, 130.0), (90.0, 130.0)])
def test_to_be_told_again_can_only_bring_the_end_forward(again, end):
    draining = Draining()
    draining.begin(GRACE, 100.0)

    draining.begin(again, 101.0)

    assert end == draining.wake_at()


def test_hurry_is_told_once_and_ends_at_once():
    draining = Draining()
    draining.begin(GRACE, 100.0)
    draining.steps(100.0, 1, 0)

    draining.begin(0.0, 101.0)
    draining.begin(0.0, 101.0)

    assert [Step.HURRY, Step.NAME_UNFINISHED, Step.SAY_WITHDRAWN, Step.END] == draining.steps(101.0, 1, 0)
    assert draining.hurried


def test_nothing_begins_by_itself():
    draining = Draining()

    assert [] == draining.steps(100.0, 0, 0)
    assert draining.wake_at() is None


# What an application has taken over.


def test_tunnels_have_a_grace_of_their_own():
    draining = Draining(tunnel_grace=5.0)
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(100.0, 1, 2)

    assert 105.0 == draining.wake_at()
    assert [Step.CLOSE_TUNNELS] == draining.steps(105.0, 1, 2)
    assert 130.0 == draining.wake_at()


def test_tunnels_past_their_grace_hold_up_nobody():
    draining = Draining(tunnel_grace=5.0)
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(100.0, 1, 2)
    draining.steps(105.0, 1, 2)

    assert [Step.NAME_UNFINISHED, Step.END] == draining.steps(106.0, 0, 2)


def test_tunnel_that_begins_past_the_grace_is_closed_too():
    draining = Draining(tunnel_grace=5.0)
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(100.0, 2, 1)
    draining.steps(105.0, 2, 1)

    draining.tunnel_begun()

    assert [Step.CLOSE_TUNNELS] == draining.steps(106.0, 1, 2)
    assert 130.0 == draining.wake_at()


def test_tunnel_that_begins_past_the_grace_as_the_last_holds_up_nobody():
    draining = Draining(tunnel_grace=5.0)
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(105.0, 1, 0)

    draining.tunnel_begun()

    assert [Step.NAME_UNFINISHED, Step.END] == draining.steps(106.0, 0, 1)


def test_tunnels_end_with_everything_else():
    draining = Draining(tunnel_grace=60.0)
    draining.begin(GRACE, 100.0)
    draining.deafened()
    draining.steps(100.0, 0, 2)

    assert [Step.NAME_UNFINISHED, Step.END] == draining.steps(130.0, 0, 2)


# By chance.


class World:
    """Connections that come until the worker is deaf, and go when a seed has it, under a master who may hurry."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.now = 100.0
        self.tunnel_grace = self.chance.choice([0.0, 1.0, 5.0, float("inf")])
        self.draining = Draining(self.tunnel_grace)
        self.requests = self.chance.randint(0, 3)
        self.tunnels = self.chance.randint(0, 2)
        self.deaf = False
        #: When it was asked to leave, and until when at the latest.
        self.asked_at = self.now
        self.ends_at = float("inf")
        self.steps = []
        self.begin()

    @property
    def ended(self):
        return Step.END in self.steps

    def begin(self):
        grace = self.chance.choice([0.0, 0.5, 3.0, 10.0])
        self.ends_at = min(self.ends_at, self.now + grace)
        self.draining.begin(grace, self.now)

    def happen(self):
        what = self.chance.random()
        if what < 0.3 and self.requests:
            self.requests -= 1
        elif what < 0.4 and self.tunnels:
            self.tunnels -= 1
        elif what < 0.5 and self.requests:
            self.requests, self.tunnels = self.requests - 1, self.tunnels + 1
            # It makes that due again.
            if Step.CLOSE_TUNNELS in self.steps:
                self.steps.remove(Step.CLOSE_TUNNELS)
            self.draining.tunnel_begun()
        elif what < 0.65 and not self.deaf:
            self.requests += 1
        elif what < 0.8 and not self.deaf:
            self.deaf = True
            self.draining.deafened()
        elif what < 0.85:
            self.begin()
        else:
            self.let_time_pass()

    def let_time_pass(self):
        """Until something is due, or a little less far: other things happen as well."""
        wake_at = self.draining.wake_at()
        assert self.now <= wake_at <= self.ends_at, "it knows when it ends"
        self.now = wake_at if self.chance.random() < 0.7 else self.chance.uniform(self.now, wake_at)

    def look(self):
        self.steps += self.draining.steps(self.now, self.requests, self.tunnels)
        assert self.ended == self.draining.over
        assert self.ended == self.may_end(), "neither later than it could, nor sooner"
        if not self.ended:
            assert [] == self.draining.steps(self.now, self.requests, self.tunnels), "nothing is left until something happens"
            assert self.draining.wake_at() > self.now

    def may_end(self):
        """Say in other words when the end has come."""
        if self.now >= self.ends_at:
            return True
        tunnels = self.tunnels if self.now < self.asked_at + self.tunnel_grace else 0
        return self.deaf and self.requests + tunnels == 0


def test_whatever_happens_nobody_is_left_early_and_the_end_comes_in_time():
    for seed in range(100_000):
        world = World(seed)
        world.look()
        while not world.ended:
            world.happen()
            world.look()

        assert world.now <= world.ends_at, f"seed {seed}"
        assert len(set(world.steps)) == len(world.steps), f"seed {seed}: nothing is done twice"
        assert (Step.LEAVE, Step.END) == (world.steps[0], world.steps[-1]), f"seed {seed}"
        assert Step.SAY_WITHDRAWN in world.steps, f"seed {seed}"
        assert (Step.NAME_UNFINISHED in world.steps) == (world.requests + world.tunnels > 0), f"seed {seed}"


def test_what_happens_behind_the_end_changes_nothing():
    for seed in range(1_000):
        world = World(seed)
        world.look()
        while not world.ended:
            world.happen()
            world.look()

        world.draining.deafened()
        world.draining.begin(0.0, world.now)

        assert [] == world.draining.steps(world.now + 100, 1, 1), f"seed {seed}"
        assert world.draining.wake_at() is None
