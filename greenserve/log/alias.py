"""The error log under the name that applications know it by.

Many give their own loggers the handlers and the level of `gunicorn.error`;
without any, what they log would be lost without a word.
"""

import logging

from greenserve.log.error import error_log

ALIAS = "gunicorn.error"


def lend_error_log() -> None:
    """Let `gunicorn.error` write where the error log does. Whoever configures that logger changes only that."""
    alias = logging.getLogger(ALIAS)
    alias.handlers = list(error_log.handlers)
    alias.setLevel(error_log.level)
    alias.propagate = error_log.propagate
