from greenserve.master.pulse import Pulse


def test_a_heartbeat_older_than_the_timeout_is_a_stuck_worker():
    pulse = Pulse()

    assert {2: 31.0} == pulse.find_stuck({1: 120.0, 2: 100.0}, 30.0, now=131.0)


def test_the_next_look_is_when_the_oldest_could_be_too_old():
    assert 130.0 == Pulse().next_look({1: 120.0, 2: 100.0}, 30.0)


def test_there_is_nothing_to_look_at_without_workers_or_a_timeout():
    assert Pulse().next_look({}, 30.0) is None
    assert Pulse().next_look({1: 100.0}, 0.0) is None
    assert {} == Pulse().find_stuck({1: 100.0}, 0.0, now=999.0)


def test_who_was_suspended_with_us_gets_its_time_anew():
    """A container that is paused for an hour wakes with heartbeats an hour old, and nobody is stuck."""
    pulse = Pulse()
    pulse.sleeps_until(130.0)

    pulse.woke(3700.0)

    assert {} == pulse.find_stuck({1: 100.0}, 30.0, now=3700.0)
    assert 3730.0 == pulse.next_look({1: 100.0}, 30.0)
    assert {1: 30.0} == pulse.find_stuck({1: 100.0}, 30.0, now=3730.0)
