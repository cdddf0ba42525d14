"""What the application prints, sent to the error log's file.

The descriptors are replaced, so what libraries and other programs write goes
there too; it is written as it is, and a pipe that nobody reads is waited for.
"""

import os
import sys
from io import TextIOWrapper

_captured: list[str] = []


def capture_output(path: str) -> None:
    """Let stdout and stderr be the file *path* from now on. Raises OSError, and leaves them as they were."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    for stream in (sys.stdout, sys.stderr):
        # An application may have put something else in their place.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    _captured[:] = [path]


def recapture_output() -> None:
    """Go on in the file that has the path now, if it was captured at all. Raises OSError."""
    for path in _captured:
        capture_output(path)
