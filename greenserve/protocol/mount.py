"""Where in a site the application stands: what of a path is SCRIPT_NAME, and what PATH_INFO."""

import re
from typing import Any

from greenserve.errors import BadRequest, NotFound
from greenserve.protocol.target import decode_path

#: A path of RFC 3986 that begins with one slash: with two, a link to it would lead to another host.
_is_prefix = re.compile(r"(?!//)/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*").fullmatch


def parse_prefix(text: str) -> str:
    """Return *text* as SCRIPT_NAME has it: decoded, and empty for the root. Raises BadRequest."""
    if not _is_prefix(text):
        raise BadRequest(f"{text[:40]!r} is no path that an application can be mounted at")
    return decode_path(text).rstrip("/")


def mount_below(environ: dict[str, Any], root: str) -> None:
    """Split PATH_INFO, which begins with *root*. Raises NotFound for a path that does not.

    `OPTIONS *` has the empty path and asks for every application there is.
    """
    path: str = environ["PATH_INFO"]
    if path and path != root and not path.startswith(root + "/"):
        raise NotFound(f"the path {path[:60]!r} is not below {root!r}, where the application is mounted")
    environ["SCRIPT_NAME"] = root
    environ["PATH_INFO"] = path[len(root) :]
