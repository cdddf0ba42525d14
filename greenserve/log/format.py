"""What `access_log_format` may say, and the function that it becomes."""

from collections.abc import Callable

from greenserve.log.json_line import JSON, format_json
from greenserve.log.line import Access, compile_atoms


def compile_access_format(format: str) -> Callable[[Access], str]:
    """Return the function that makes a line, without its newline. Raises ConfigError."""
    return format_json if format == JSON else compile_atoms(format)
