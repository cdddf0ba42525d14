"""The error log and the access log: how a line looks, and how it reaches its file.

What to say is decided elsewhere. The one rule here: nothing a client sent can
end a line, begin a line or move a terminal's cursor. And nothing here raises
because a disk is full, or waits for a lock or a slow reader, since a worker logs
from its hub, and the master from its only loop.
"""

from greenserve.log.access import AccessLog, open_access_log
from greenserve.log.alias import lend_error_log
from greenserve.log.capture import capture_output
from greenserve.log.configured import LoggingSource, configure_logging
from greenserve.log.error import (
    close_error_log,
    error_log,
    flush_error_log,
    leave_standard_streams,
    open_error_log,
    reopen_error_log,
    write_error_text,
)
from greenserve.log.file import check_log_file
from greenserve.log.format import compile_access_format
from greenserve.log.line import Access
from greenserve.log.logs import Logs, open_logs
from greenserve.log.ration import Ration
from greenserve.log.syslog import Syslog

__all__ = [
    "Access",
    "AccessLog",
    "LoggingSource",
    "Logs",
    "Ration",
    "Syslog",
    "capture_output",
    "check_log_file",
    "close_error_log",
    "compile_access_format",
    "configure_logging",
    "error_log",
    "flush_error_log",
    "leave_standard_streams",
    "lend_error_log",
    "open_access_log",
    "open_error_log",
    "open_logs",
    "reopen_error_log",
    "write_error_text",
]
