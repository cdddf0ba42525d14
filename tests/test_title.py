"""What ps shows; in this very process, whose title is given back."""

import pytest
from setproctitle import getproctitle, setproctitle

from greenserve.config import Config
from greenserve.title import PACE, Title


@pytest.fixture
def title():
    before = getproctitle()
    yield Title("worker 3", Config(wsgi_app="shop:app"))
    setproctitle(before)


def test_title_tells_the_role_and_the_application(title):
    assert "greenserve: worker 3 [shop:app]" == getproctitle()


def test_title_shows_no_terminal_codes_and_no_bytes_that_are_no_text(title):
    Title("master", Config(wsgi_app="shop:app", proc_name="a\x1b[2J\udcff"))

    assert "greenserve: master [a?[2J?]" == getproctitle()


def test_facts_follow_and_empty_ones_are_left_out(title):
    title.tell(100.0, "12 in flight", "", "draining")

    assert "greenserve: worker 3 [shop:app] 12 in flight, draining" == getproctitle()


def test_title_changes_once_a_second_at_the_most(title):
    title.tell(100.0, "12 in flight")

    assert 100.0 + PACE == title.tell(100.0 + PACE / 2, "13 in flight")
    assert getproctitle().endswith("12 in flight")

    assert title.tell(100.0 + PACE, "13 in flight") is None
    assert getproctitle().endswith("13 in flight")
