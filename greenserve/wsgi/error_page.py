"""What --reload serves in place of an application that cannot be loaded: the screen that says why.

Only for development: it shows source code to whoever asks.
"""

from collections.abc import Callable
from typing import Any

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>The application cannot be loaded</title>
<pre style="font: 1em/1.5 monospace; margin: 2em; white-space: pre-wrap">{screen}</pre>
<p style="font-family: sans-serif; margin: 2em">Save a file, and greenserve tries again.</p>
</html>
"""


class ErrorPage:
    """An application that answers every request with 500 and the screen."""

    def __init__(self, screen: str) -> None:
        from html import escape

        # A path in a traceback may hold bytes that are no UTF-8.
        self._content = PAGE.format(screen=escape(screen)).encode("utf-8", "backslashreplace")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        fields = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(self._content))),
            ("Cache-Control", "no-store"),
        ]
        start_response("500 Internal Server Error", fields)
        return [self._content]
