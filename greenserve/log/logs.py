"""Where all logs of a process go, together, so that a mistake leaves everything as it was."""

from typing import NamedTuple

from greenserve.errors import ConfigError
from greenserve.log.configured import ERROR, LoggingSource, configure_logging, is_configured
from greenserve.log.error import close_error_log, open_error_log, use_configured_error_log
from greenserve.log.syslog import Syslog


class Logs(NamedTuple):
    """What the settings say of them; access lines are opened by each worker."""

    errorlog: str = "-"
    level: str = "info"
    syslog: Syslog | None = None
    source: LoggingSource = LoggingSource()


_in_force: list[Logs] = []


def open_logs(logs: Logs) -> None:
    """Send the logs where *logs* says. Raises ConfigError if that cannot be, and leaves everything as it was."""
    try:
        put_in_force(logs)
    except ConfigError:
        for before in _in_force:
            put_in_force(before)
        raise
    _in_force[:] = [logs]


def put_in_force(logs: Logs) -> None:
    if logs.source:
        # Logging closes all handlers there are before it makes new ones.
        close_error_log()
    configure_logging(logs.source)
    if is_configured(ERROR):
        use_configured_error_log(logs.level)
    else:
        open_error_log(logs.errorlog, logs.level, logs.syslog)
