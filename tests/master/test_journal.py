import logging

import pytest

from greenserve.master.journal import describe_death, describe_exit, summarize
from greenserve.master.member import Worker


@pytest.mark.parametrize(
    ("code", "asked_to", "expected"),
    [
        (3, False, "exited with code 3"),
        (-9, False, "was killed by SIGKILL; the kernel's out-of-memory killer is likely"),
        (-9, True, "was killed by SIGKILL"),
        (-11, False, "was killed by SIGSEGV (segmentation fault)"),
        (-40, False, "was killed by signal 40 (real-time signal 6)"),
    ],
)
def test_an_end_is_told_in_words(code, asked_to, expected):
    assert expected == describe_exit(code, asked_to)


def make_worker(**state):
    return Worker(pid=9, number=3, generation=1, born=0.0, mention_at=30.0, **state)


@pytest.mark.parametrize(
    ("worker", "code", "expected"),
    [
        (make_worker(ready_at=1.0), 1, (logging.ERROR, "exited with code 1")),
        (make_worker(), 1, (logging.ERROR, "exited with code 1 while it loaded the application")),
        (make_worker(deadline=5.0), 0, (logging.INFO, "has left")),
        (make_worker(deadline=5.0), 1, (logging.WARNING, "exited with code 1 on its way out")),
        (make_worker(deadline=5.0, killed=True), -9, (logging.DEBUG, "was killed by SIGKILL")),
        (make_worker(deadline=5.0, failed=True), 4, (logging.DEBUG, "exited with code 4")),
    ],
)
def test_a_death_is_as_loud_as_it_is_unexpected(worker, code, expected):
    assert expected == describe_death(worker, code, stopping=False)


@pytest.mark.parametrize(
    ("screen", "summary"),
    [
        (
            "'a:b' cannot be loaded: x raised\n\nTraceback:\n  File\nRuntimeError: no database\n\nThe error is yours: look",
            ": RuntimeError: no database",
        ),
        ("'a:b' cannot be loaded: there is no b", ": 'a:b' cannot be loaded: there is no b"),
        ("", ""),
    ],
)
def test_a_failure_is_summarized_by_what_was_raised(screen, summary):
    assert summary == summarize(screen)
