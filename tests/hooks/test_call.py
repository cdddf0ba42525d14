"""Which functions can be hooks, and what becomes of what they raise."""

import functools
import logging
import sys

import pytest

from greenserve.config import SETTINGS, Config
from greenserve.hooks import count_parameters, try_hook
from greenserve.kinds import Refused


class Counter:
    def __call__(self, server):
        pass


def three(worker, req, environ):
    pass


@pytest.mark.parametrize("function", [lambda server: None, lambda *args: None, Counter(), functools.partial(print, "on"), print])
def test_a_hook_is_whatever_can_be_called_so(function):
    assert function is SETTINGS["on_exit"].kind.read(function)


@pytest.mark.parametrize("given", [lambda: None, lambda server, worker: None, "shop.on_exit", 5])
def test_what_cannot_be_called_so_is_refused(given):
    with pytest.raises(Refused, match=r"is not a function on_exit\(server\) of a Python configuration file"):
        SETTINGS["on_exit"].kind.read(given)


@pytest.mark.parametrize("function", [lambda a, b: 0, three, lambda a, b, c, d: 0, lambda *args: 0])
def test_post_request_takes_two_three_or_four(function):
    assert function is SETTINGS["post_request"].kind.read(function)


@pytest.mark.parametrize("function", [lambda a: 0, lambda a, b, c, d, e: 0])
def test_post_request_takes_no_other_number(function):
    with pytest.raises(Refused):
        SETTINGS["post_request"].kind.read(function)


def test_parameters_are_counted():
    assert 3 == count_parameters(three, 4)
    assert 4 == count_parameters(lambda *args: 0, 4)


@pytest.mark.parametrize("fault", [ValueError("oh"), SystemExit(1)])
def test_a_hook_that_raises_is_logged_and_named(caplog, fault):
    def broken(server):
        raise fault

    with caplog.at_level(logging.ERROR):
        try_hook(Config(on_exit=broken), "on_exit", None)

    assert f"the hook on_exit ({__file__}:{broken.__code__.co_firstlineno}) failed, and was passed over" == caplog.messages[0]
    assert caplog.records[0].exc_info[1] is fault


def test_a_hook_without_code_of_its_own_is_named_too(caplog):
    try_hook(Config(on_exit=sys.intern), "on_exit", 5)

    assert ["the hook on_exit failed, and was passed over"] == caplog.messages
