"""The access line as a JSON object, for machines that read it."""

import functools
import json
import time
from collections.abc import Callable
from typing import Any

from greenserve.log.line import Access, basic_user

#: What stands in place of a format.
JSON = "json"

Reader = Callable[[Access], "str | int | float | None"]


def text(value: object) -> str | None:
    """Return a string of environ, which holds one byte in each character, as the text that was meant."""
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "backslashreplace")


def variable(key: str) -> Reader:
    """Return what reads *key* of environ; None stands for what is missing, and for what is empty."""
    return lambda access: text(access.environ.get(key)) or None


def field(name: str) -> Reader:
    """Return what reads the field *name* of the response."""
    return lambda access: next((text(value) for found, value in access.fields if found.lower() == name), None)


def format_instant(access: Access) -> str:
    """Return when the request began, as RFC 3339 has it, in UTC."""
    second = int(access.started)
    return f"{format_second(second)}.{int((access.started - second) * 1000):03d}Z"


@functools.lru_cache(maxsize=4)
def format_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def status_code(access: Access) -> int | None:
    code = str(access.status)[:3]
    return int(code) if code.isascii() and code.isdigit() else None


def user(access: Access) -> str | None:
    name = basic_user(access)
    return None if name == "-" else name


KEYS: dict[str, Reader] = {
    "time": format_instant,
    "remote_addr": variable("REMOTE_ADDR"),
    "user": user,
    "method": variable("REQUEST_METHOD"),
    "scheme": variable("wsgi.url_scheme"),
    "host": variable("HTTP_HOST"),
    "target": variable("RAW_URI"),
    "path": variable("PATH_INFO"),
    "query": variable("QUERY_STRING"),
    "protocol": variable("SERVER_PROTOCOL"),
    "status": status_code,
    "bytes": lambda access: access.sent,
    "duration": lambda access: round(access.elapsed, 6),
    "content_type": field("content-type"),
    "referer": variable("HTTP_REFERER"),
    "user_agent": variable("HTTP_USER_AGENT"),
    "request_id": variable("HTTP_X_REQUEST_ID"),
    "forwarded_for": variable("HTTP_X_FORWARDED_FOR"),
    "pid": lambda access: access.pid,
}


_encode = json.JSONEncoder(separators=(",", ":")).encode


def format_json(access: Access) -> str:
    """Return the line: printable ASCII, and the same keys in each."""
    found: dict[str, Any] = {key: read(access) for key, read in KEYS.items()}
    # The one character that json leaves, and a terminal could act on.
    return _encode(found).replace("\x7f", "\\u007f")
