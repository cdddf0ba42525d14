"""gunicorn.error, where the error log is under the name that applications know."""

import logging

import pytest

from greenserve.log import error_log, lend_error_log


@pytest.fixture
def alias(monkeypatch):
    alias = logging.getLogger("gunicorn.error")
    for name in ("handlers", "level", "propagate"):
        monkeypatch.setattr(alias, name, getattr(alias, name))
    return alias


@pytest.mark.parametrize("propagate", [True, False])
def test_it_writes_where_the_error_log_does(alias, monkeypatch, propagate):
    """A logging configuration may have no handlers for it but those of the root."""
    monkeypatch.setattr(error_log, "propagate", propagate)

    lend_error_log()

    assert (error_log.handlers, error_log.level, propagate) == (alias.handlers, alias.level, alias.propagate)


def test_its_handlers_are_a_list_of_its_own(alias):
    lend_error_log()

    alias.addHandler(logging.NullHandler())

    assert len(error_log.handlers) + 1 == len(alias.handlers)
