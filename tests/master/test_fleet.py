"""Histories of a fleet, by hand and by chance. No process, no clock."""

import random

import pytest

from greenserve.master.faults import LONGEST_PAUSE, pause_after
from greenserve.master.fleet import CROWD, ECHO, HOPE, LAST_WORDS, LONG_BOOT, RELIEF, Fleet
from greenserve.master.member import PROBATION, Plan
from greenserve.master.moves import (
    Abandoned,
    Abort,
    CrashLoop,
    Drain,
    Examine,
    Fork,
    Kill,
    LongBoot,
    Relieve,
    Settled,
)


class Stage:
    """A fleet and the world that obeys it: forks succeed, nothing else happens by itself."""

    def __init__(self, size, trial=0.0, **options):
        """Without a trial new code is trusted once a worker is ready, as most of these histories need it."""
        self.fleet = Fleet(Plan(1, size, trial=trial, **options))
        self.now = 100.0
        self.pids = 0

    def step(self, seconds=0.0):
        """Let time pass, carry out the forks, and return all actions."""
        self.now += seconds
        actions = self.fleet.actions(self.now)
        for action in actions:
            if isinstance(action, Fork):
                self.pids += 1
                self.fleet.forked(self.pids, action.number, action.generation, self.now)
        return actions

    def boot(self):
        """Begin, and let every worker become ready."""
        self.step()
        self.ready(*self.fleet.workers)
        self.step()
        self.step(PROBATION)
        return self

    def ready(self, *pids):
        for pid in pids:
            self.fleet.ready(pid, self.now)

    def exit(self, *pids):
        for pid in pids:
            self.fleet.exited(pid, self.now)

    def fail(self, pid, exit_code=4):
        self.fleet.failed(pid, exit_code, self.now)
        self.exit(pid)

    def reload(self):
        self.fleet.reload(self.now, self.fleet.plan)

    @property
    def serving(self):
        return sorted(worker.pid for worker in self.fleet.workers.values() if worker.serving and worker.ready)


# The beginning.


def test_as_many_are_forked_as_are_wanted():
    assert [Fork(1, 1), Fork(2, 1), Fork(3, 1)] == Stage(3).step()


def test_the_first_generation_settles_when_all_are_ready():
    stage = Stage(2)
    stage.step()

    stage.ready(1)
    assert [] == stage.step()

    stage.ready(2)
    assert [Settled(1)] == stage.step()
    assert [] == stage.step(60)


@pytest.mark.parametrize("exit_code", [3, 4])
def test_an_application_that_does_not_load_ends_the_fleet_with_its_exit_code(exit_code):
    stage = Stage(3)
    stage.step()

    stage.fail(2, exit_code)

    assert [Kill(1, ""), Kill(3, "")] == stage.step()
    assert stage.fleet.outcome is None
    stage.exit(1, 3)
    assert exit_code == stage.fleet.outcome


def test_three_deaths_in_boot_end_the_fleet():
    stage = Stage(1)
    for _ in range(3):
        stage.step(1)
        stage.exit(*stage.fleet.workers)

    assert [] == stage.step()
    assert 3 == stage.fleet.outcome


def test_a_long_boot_is_mentioned_and_goes_on():
    stage = Stage(1)
    stage.step()

    assert stage.now + LONG_BOOT == stage.fleet.wake_at(stage.now)
    assert [LongBoot(1, LONG_BOOT)] == stage.step(LONG_BOOT)
    assert [LongBoot(1, 2 * LONG_BOOT)] == stage.step(LONG_BOOT)


# Make before break.


def test_reload_drains_an_old_worker_for_each_new_one_that_is_ready():
    stage = Stage(2).boot()
    stage.reload()

    assert [Fork(3, 2), Fork(4, 2)] == stage.step()
    stage.ready(4)
    assert [Drain(1, 30.0)] == stage.step()
    stage.ready(3)
    assert [Drain(2, 30.0)] == stage.step()


def test_a_reload_has_settled_when_no_old_worker_accepts():
    """Before, a client that is told of the new code could still be answered by the old."""
    stage = Stage(2).boot()
    stage.reload()
    stage.step()
    stage.ready(3, 4)
    stage.step()

    stage.fleet.withdrawn(1, stage.now)
    assert [] == stage.step()
    stage.exit(2)

    assert [Settled(2)] == stage.step()


def test_max_surge_bounds_the_extra_workers():
    stage = Stage(4, max_surge=1).boot()
    stage.reload()

    assert [Fork(5, 2)] == stage.step()
    stage.ready(5)
    assert [Drain(1, 30.0), Fork(6, 2)] == stage.step()


def test_a_worker_that_retires_goes_on_until_its_replacement_is_ready():
    stage = Stage(2).boot()

    stage.fleet.retire(1)

    assert [Fork(3, 1)] == stage.step()
    stage.ready(3)
    assert [Drain(1, 30.0)] == stage.step()


def test_reload_during_a_reload_gives_up_the_boots_of_the_first():
    stage = Stage(2).boot()
    stage.reload()
    stage.step()

    stage.reload()

    assert [Drain(3, 30.0), Drain(4, 30.0), Fork(5, 3), Fork(6, 3)] == stage.step()
    assert [1, 2] == stage.serving


def test_a_number_is_used_again_once_it_is_free():
    stage = Stage(2).boot()

    stage.exit(1)

    assert [Fork(1, 1)] == stage.step()


def test_a_worker_that_leaves_by_itself_is_replaced_while_it_finishes():
    """Somebody has sent SIGTERM to the worker and not to the master."""
    stage = Stage(1).boot()

    stage.fleet.withdrawn(1, stage.now)

    assert [Fork(2, 1)] == stage.step()
    assert stage.now + 30 + LAST_WORDS == stage.fleet.workers[1].deadline


def test_growing_forks_and_shrinking_drains():
    stage = Stage(2).boot()

    stage.fleet.resize(3)
    assert [Fork(3, 1)] == stage.step()
    stage.ready(3)
    stage.fleet.resize(1)
    assert [Drain(1, 30.0), Drain(2, 30.0)] == stage.step()


def test_a_smaller_plan_counts_only_once_its_code_is_proven():
    stage = Stage(4).boot()

    stage.fleet.reload(stage.now, stage.fleet.plan._replace(size=1))

    assert [Fork(5, 2)] == stage.step()
    stage.fail(5)
    assert [Abandoned(2, 1, "did not start")] == stage.step()
    assert [1, 2, 3, 4] == stage.serving


# Workers that have served their time.


def test_a_worker_that_lingers_is_relieved_and_leaves_by_itself():
    stage = Stage(2).boot()

    stage.fleet.retire(1, lingers=True)

    assert [Fork(3, 1)] == stage.step()
    stage.ready(3)
    assert [Relieve(1)] == stage.step()
    assert [] == stage.step(5)
    stage.fleet.withdrawn(1, stage.now)
    assert [2, 3] == stage.serving
    assert [] == stage.step()


def test_a_worker_that_lingers_too_long_is_drained():
    stage = Stage(1).boot()
    stage.fleet.retire(1, lingers=True)
    stage.step()
    stage.ready(2)
    stage.step()

    assert stage.now + RELIEF == stage.fleet.wake_at(stage.now)
    assert [Drain(1, 30.0)] == stage.step(RELIEF)


def test_a_worker_that_lingers_with_old_code_is_drained():
    stage = Stage(1).boot()
    stage.fleet.retire(1, lingers=True)
    stage.reload()

    stage.step()
    stage.ready(2)

    assert [Drain(1, 30.0)] == stage.step()


def test_a_worker_that_must_go_lingers_no_more():
    """It wanted to leave by itself; then somebody sent it SIGTERM."""
    stage = Stage(1).boot()
    stage.fleet.retire(1, lingers=True)
    stage.step()
    stage.ready(2)
    stage.step()

    stage.fleet.retire(1)

    assert [Drain(1, 30.0)] == stage.step()


def test_a_worker_that_is_dangerous_to_keep_gets_no_grace():
    stage = Stage(1).boot()

    stage.fleet.retire(1, grace=0.0)

    assert [Fork(2, 1)] == stage.step()
    stage.ready(2)
    assert [Drain(1, 0.0)] == stage.step()


# New code on trial.


def test_old_code_stays_until_the_new_has_served_for_a_while():
    stage = Stage(2, trial=1.0).boot()
    stage.reload()
    stage.step()

    stage.ready(3, 4)

    assert [] == stage.step()
    assert stage.now + 1.0 == stage.fleet.wake_at(stage.now)
    assert [Drain(1, 30.0), Drain(2, 30.0)] == stage.step(1.0)


def test_code_that_crashes_when_it_serves_is_abandoned():
    stage = Stage(2, trial=1.0).boot()
    stage.reload()
    for _ in range(3):
        stage.step(LONGEST_PAUSE)
        newest = max(stage.fleet.workers)
        stage.ready(newest)
        stage.exit(newest)

    assert Abandoned(2, 1, "crashed soon after it started") in stage.step()
    assert [1, 2] == stage.serving


def test_a_canary_serves_alone_before_others_follow():
    stage = Stage(3, trial=10.0, canary=True).boot()
    stage.reload()

    assert [Fork(4, 2)] == stage.step()
    stage.ready(4)
    assert [4] == stage.fleet.on_trial
    assert [] == stage.step(9)
    assert [Drain(1, 30.0), Fork(5, 2), Fork(6, 2)] == stage.step(1)


@pytest.mark.parametrize("canary", [True, False])
def test_who_is_to_have_no_workers_keeps_none_for_new_code_on_trial(canary):
    """A new master has taken over while a reload is not decided: the old code must not stay for ever."""
    stage = Stage(2, trial=10.0, canary=canary).boot()
    stage.reload()
    stage.step()
    stage.ready(3)
    stage.step()

    stage.fleet.resize(0)

    assert {1, 2, 3} <= {move.pid for move in stage.step() if isinstance(move, Drain)}


def test_a_resize_during_a_trial_counts_for_the_old_code_too():
    stage = Stage(3, trial=10.0, canary=True).boot()
    stage.reload()
    stage.step()
    stage.ready(4)
    stage.step()

    stage.fleet.resize(2)

    assert [Drain(1, 30.0)] == stage.step()


def test_the_death_of_a_canary_ends_the_trial():
    stage = Stage(2, trial=10.0, canary=True).boot()
    stage.reload()
    stage.step()
    stage.ready(3)
    stage.step(5)

    stage.exit(3)

    assert [Abandoned(2, 1, "crashed soon after it started")] == stage.step()
    assert [1, 2] == stage.serving


@pytest.mark.parametrize(("answers", "errors", "seconds"), [(10, 2, 10), (100, 11, 0)], ids=["at the end", "many at once"])
def test_a_canary_that_answers_with_errors_goes_and_the_old_code_stays(answers, errors, seconds):
    stage = Stage(2, trial=10.0, canary=True, canary_errors=10).boot()
    stage.reload()
    stage.step()
    stage.ready(3)

    stage.fleet.judge(3, answers, errors, stage.now + seconds)

    assert [Abandoned(2, 1, f"answered {errors} of {answers} requests with errors"), Drain(3, 30.0)] == stage.step(seconds)
    assert [1, 2] == stage.serving


def test_a_canary_is_not_judged_by_its_first_error():
    stage = Stage(1, trial=10.0, canary=True, canary_errors=10).boot()
    stage.reload()
    stage.step()
    stage.ready(2)

    stage.fleet.judge(2, 1, 1, stage.now)

    assert [] == stage.step()


# New code that does not start.


def test_code_that_fails_is_abandoned_and_the_old_goes_on():
    stage = Stage(2).boot()
    stage.reload()
    stage.step()

    stage.fail(3)

    assert [Abandoned(2, 1, "did not start"), Drain(4, 30.0)] == stage.step()
    assert 1 == stage.fleet.generation
    assert [1, 2] == stage.serving


def test_code_that_dies_in_boot_three_times_is_abandoned():
    stage = Stage(1).boot()
    stage.reload()
    for pid in (2, 3):
        stage.step(LONGEST_PAUSE)
        stage.exit(pid)
    stage.step(LONGEST_PAUSE)

    stage.exit(4)

    assert [Abandoned(2, 1, "did not start")] == stage.step()
    assert [1] == stage.serving


def test_a_generation_number_is_never_given_twice():
    stage = Stage(1).boot()
    stage.reload()
    stage.step()
    stage.fail(2)
    stage.step()

    stage.reload()

    assert [Fork(2, 3)] == stage.step()


def test_the_first_code_is_kept_if_it_works_after_a_reload_has_begun():
    stage = Stage(1)
    stage.step()
    stage.reload()
    stage.step()

    stage.ready(1)
    stage.fail(2)

    assert [Abandoned(2, 1, "did not start"), Settled(1)] == stage.step()
    assert [1] == stage.serving


# Crashes.


def test_a_worker_that_has_lived_is_replaced_at_once_every_time():
    stage = Stage(1).boot()

    for _ in range(20):
        stage.exit(*stage.fleet.workers)
        forks = stage.step()
        stage.ready(*stage.fleet.workers)
        stage.step(PROBATION)
        assert [Fork(1, 1)] == forks


def test_pauses_grow_up_to_a_limit():
    assert [0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30] == [pause_after(faults) for faults in range(10)]
    assert pause_after(10_000) == LONGEST_PAUSE


def test_those_that_crash_together_are_followed_by_one_after_a_pause():
    stage = Stage(4)
    stage.step()
    stage.ready(1, 2, 3, 4)
    stage.step(0.1)

    stage.exit(1, 2, 3, 4)

    assert [CrashLoop()] == stage.step()
    assert stage.now + pause_after(4) == stage.fleet.wake_at(stage.now)
    assert [Fork(1, 1)] == stage.step(pause_after(4))
    stage.ready(5)
    assert stage.now + PROBATION == stage.fleet.wake_at(stage.now)
    assert [Fork(2, 1), Fork(3, 1), Fork(4, 1)] == stage.step(PROBATION)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_crash_loop_boots_five_times_in_its_first_five_seconds_and_is_mentioned_once(size):
    """They boot in 0.3 s, and die one after the other, never quite at once."""
    stage = Stage(size)
    actions = []
    while stage.now < 105:
        actions += stage.step(0.3)
        stage.ready(*stage.fleet.workers)
        for pid in list(stage.fleet.workers):
            actions += stage.step(0.03)
            stage.exit(pid)

    assert len([action for action in actions if isinstance(action, Fork)]) <= 5
    assert [CrashLoop()] == [action for action in actions if isinstance(action, CrashLoop)]


def test_a_fork_the_kernel_refuses_is_tried_again_after_a_pause():
    fleet = Fleet(Plan(1, 1))
    for _ in range(3):
        fleet.actions(100.0)
        fleet.fork_failed(100.0)

    assert [] == fleet.actions(100.0)
    assert fleet.wake_at(100.0) == 101.0
    assert fleet.actions(101.0) == [Fork(1, 1)]


def test_a_stuck_worker_is_examined_at_once_and_killed_when_it_is_replaced():
    stage = Stage(2).boot()

    stage.fleet.stuck(1, stage.now, 31.0)

    assert [Examine(1, 31.0), Fork(3, 1)] == stage.step()
    stage.ready(3)
    assert [Kill(1, "its hub has been stuck for 31.0 s")] == stage.step()


def test_a_stuck_worker_whose_replacement_never_comes_is_killed_all_the_same():
    stage = Stage(2).boot()

    stage.fleet.stuck(1, stage.now, 31.0)
    stage.step()

    assert [Kill(1, "its hub has been stuck for 31.0 s")] == stage.step(HOPE)[:1]


def test_a_stuck_worker_says_its_last_words_if_it_has_any():
    stage = Stage(2, aborts=True).boot()
    stage.fleet.stuck(1, stage.now, 31.0)
    stage.step()
    stage.ready(3)

    assert [Abort(1, "its hub has been stuck for 31.0 s")] == stage.step()

    stage.fleet.revived(1, stage.now)
    assert [] == stage.step()
    assert [Kill(1, "its hub has been stuck for 31.0 s")] == stage.step(LAST_WORDS)


def test_a_stuck_worker_that_comes_back_finishes_what_it_has():
    stage = Stage(2).boot()
    stage.fleet.stuck(1, stage.now, 31.0)
    stage.step()

    stage.fleet.revived(1, stage.now)
    stage.ready(3)

    assert [Drain(1, 30.0)] == stage.step()
    assert stage.now + 30 + LAST_WORDS == stage.fleet.workers[1].deadline


# The end.


def test_stop_drains_everybody_and_ends_with_zero():
    stage = Stage(2).boot()

    stage.fleet.stop(stage.now)

    assert [Drain(1, 30.0), Drain(2, 30.0)] == stage.step()
    stage.exit(1, 2)
    assert 0 == stage.fleet.outcome


def test_who_is_not_done_in_time_is_killed_once():
    stage = Stage(1).boot()
    stage.fleet.stop(stage.now)
    stage.step()

    assert stage.now + 30 + LAST_WORDS == stage.fleet.wake_at(stage.now)
    assert [Kill(1, "it has not left within 30 s")] == stage.step(30 + LAST_WORDS)
    assert [] == stage.step(1)


def test_everybody_serves_on_until_the_load_balancer_has_noticed():
    stage = Stage(2, drain_delay=5.0).boot()

    stage.fleet.stop(stage.now)

    assert [] == stage.step()
    assert stage.now + 5.0 == stage.fleet.wake_at(stage.now)
    assert [Drain(1, 30.0), Drain(2, 30.0)] == stage.step(5.0)


def test_who_dies_before_the_load_balancer_has_noticed_is_replaced():
    stage = Stage(2, drain_delay=5.0).boot()
    stage.fleet.stop(stage.now)

    stage.exit(1)

    assert [Fork(1, 1)] == stage.step(1)


def test_to_hurry_is_not_to_wait_for_the_load_balancer():
    stage = Stage(1, drain_delay=5.0).boot()
    stage.fleet.stop(stage.now)

    stage.fleet.stop(stage.now, quick=True)

    assert [Drain(1, 0.0)] == stage.step()


def test_to_stop_twice_is_to_hurry():
    stage = Stage(1).boot()
    stage.fleet.stop(stage.now)
    stage.step()

    stage.step(ECHO)
    stage.fleet.stop(stage.now)

    assert [Drain(1, 0.0)] == stage.step()
    assert stage.now + LAST_WORDS == stage.fleet.wake_at(stage.now)


def test_the_echo_of_a_stop_changes_nothing():
    stage = Stage(1).boot()
    stage.fleet.stop(stage.now)
    stage.fleet.stop(stage.now)

    assert [Drain(1, 30.0)] == stage.step()


def test_quick_stop_hurries_those_that_drain_already():
    stage = Stage(1).boot()
    stage.reload()
    stage.step()
    stage.ready(2)
    stage.step()

    stage.fleet.stop(stage.now, quick=True)

    assert [Drain(1, 0.0), Drain(2, 0.0)] == stage.step()


def test_who_still_loads_is_not_waited_for():
    stage = Stage(1)
    stage.step()
    stage.fleet.stop(stage.now)

    assert [Drain(1, 30.0)] == stage.step()
    assert [Kill(1, "")] == stage.step(LAST_WORDS)


def test_who_was_ready_as_it_was_told_has_its_whole_grace():
    """Its word and ours crossed: it may have accepted."""
    stage = Stage(1)
    stage.step()
    stage.fleet.stop(stage.now)
    stage.step()

    stage.ready(1)

    assert stage.now + 30 + LAST_WORDS == stage.fleet.wake_at(stage.now)


def test_nobody_is_forked_for_those_that_leave():
    stage = Stage(1).boot()
    stage.fleet.stop(stage.now)

    stage.exit(1)

    assert [] == stage.step()
    assert 0 == stage.fleet.outcome


# By chance.


class World:
    """Processes that boot, crash, hang and leave as a seed has it, under an operator who reloads and resizes."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.size = self.chance.randint(1, 5)
        self.fleet = Fleet(self.make_plan())
        self.now = 100.0
        self.pids = 0
        #: What happens to each process next: (when, what).
        self.fates = {}
        self.crashes_allowed = False
        self.broken = set()
        self.settled = set()
        self.withdrawing = []

    def make_plan(self):
        trial, canary = self.chance.choice([(0.0, False), (1.0, False), (3.0, True)])
        surge, delay, aborts = self.chance.choice([0, 1, 2]), self.chance.choice([0.0, 2.0]), self.chance.random() < 0.5
        return Plan(1, self.size, 3.0, surge, delay, trial, canary, aborts=aborts)

    def turn(self):
        self.now = min(self.now + 0.5, self.fleet.wake_at(self.now) or self.now + 0.5)
        for action in self.fleet.actions(self.now):
            self.carry_out(action)
        assert [] == self.fleet.actions(self.now), "nothing is left to do until something happens"
        assert (self.fleet.wake_at(self.now) or self.now + 1) > self.now
        while self.withdrawing:
            # Every other time the word is lost.
            pid = self.withdrawing.pop()
            if self.chance.random() < 0.5:
                self.fleet.withdrawn(pid, self.now)
        for pid, (when, event) in list(self.fates.items()):
            if self.now >= when:
                self.happen(pid, event)

    def carry_out(self, action):
        if isinstance(action, Fork):
            self.pids += 1
            self.fleet.forked(self.pids, action.number, action.generation, self.now)
            event = (
                "fail" if action.generation in self.broken else self.chance.choice(["ready"] * 9 + ["die"] * self.crashes_allowed)
            )
            self.fates[self.pids] = (self.now + self.chance.choice([0, 0.2, 1, 3]), event)
        elif isinstance(action, Drain):
            self.fates[action.pid] = (self.now + self.chance.choice([0, 1, 9]), "die")
            self.withdrawing.append(action.pid)
        elif isinstance(action, Abort) and self.chance.random() < 0.5:
            self.fates[action.pid] = (self.now + 0.2, "die")
        elif isinstance(action, Kill):
            self.fates[action.pid] = (self.now, "die")
        elif isinstance(action, Relieve):
            self.fates[action.pid] = (self.now + self.chance.choice([0, 1, RELIEF]), "withdraw")
        elif isinstance(action, Settled):
            self.settled.add(action.generation)

    def happen(self, pid, event):
        del self.fates[pid]
        if event == "ready":
            self.fleet.ready(pid, self.now)
            return
        if event == "withdraw":
            self.fleet.withdrawn(pid, self.now)
            self.fates[pid] = (self.now + self.chance.choice([0, 1, 9]), "die")
            return
        if event == "fail":
            self.fleet.failed(pid, 4, self.now)
        self.fleet.exited(pid, self.now)

    def operate(self):
        what = self.chance.random()
        if what < 0.05:
            self.fleet.reload(self.now, self.make_plan())
            if self.chance.random() < 0.3:
                self.broken.add(self.fleet.generation)
        elif what < 0.08 and self.fleet.workers:
            self.fleet.retire(self.chance.choice(list(self.fleet.workers)), lingers=self.chance.random() < 0.5)
        elif what < 0.1 and self.crashes_allowed and self.fleet.workers:
            self.happen_to_someone()

    def happen_to_someone(self):
        pid = self.chance.choice(list(self.fleet.workers))
        self.fates.pop(pid, None)
        if self.chance.random() < 0.5:
            self.fleet.exited(pid, self.now)
        else:
            self.fleet.stuck(pid, self.now, 9.0)
            if self.chance.random() < 0.3:
                self.fleet.revived(pid, self.now)
            self.fates.pop(pid, None)

    def ready_count(self):
        return sum(worker.ready and worker.serving for worker in self.fleet.workers.values())

    def settle(self):
        for _ in range(200):
            self.turn()


def test_whatever_the_operator_does_capacity_is_kept():
    for seed in range(150):
        world = World(seed)
        world.settle()
        for _ in range(200):
            world.operate()
            world.turn()
            assert world.ready_count() >= world.size, f"seed {seed}"


def test_whatever_happens_the_fleet_settles_and_never_crowds():
    for seed in range(150):
        world = World(seed)
        world.settle()
        world.crashes_allowed = True
        for _ in range(200):
            world.operate()
            world.turn()
            assert len(world.fleet.workers) <= (CROWD + 1) * world.size, f"seed {seed}"
        world.crashes_allowed = False
        world.settle()
        serving = [worker for worker in world.fleet.workers.values() if worker.serving]
        assert [world.fleet.generation] * world.size == [worker.generation for worker in serving], f"seed {seed}"
        assert world.fleet.generation in world.settled, f"seed {seed}"


def test_whenever_it_is_stopped_it_ends_in_time():
    for seed in range(150):
        world = World(seed)
        world.crashes_allowed = True
        for _ in range(world.chance.randint(0, 100)):
            world.operate()
            world.turn()
        ends_at = world.now + world.fleet.plan.drain_delay + 3.0 + 2 * LAST_WORDS + 0.5
        world.fleet.stop(world.now)
        while world.fleet.outcome is None:
            world.turn()
        assert world.now <= ends_at, f"seed {seed}"


# Another server in its place.


def test_a_fleet_at_rest_has_nobody_and_comes_back_as_it_was():
    stage = Stage(2).boot()

    stage.fleet.resize(0)
    assert {1, 2} == {action.pid for action in stage.step() if isinstance(action, Drain)}
    stage.exit(1, 2)
    assert [] == stage.step(60)
    assert stage.fleet.outcome is None

    stage.fleet.resize(2)
    assert [Fork(1, 1), Fork(2, 1)] == stage.step()
