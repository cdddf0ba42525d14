"""What a person reads when the application cannot be loaded: one short screen.

A headline says which half of the target failed, then comes the application's
own traceback, then what to do. Only text is made here; what went wrong is
found out by those who call.
"""

import importlib
import os
import traceback
from collections.abc import Iterable
from pathlib import Path

# Where the files of ours are that touch the application while it is loaded.
_OURS = f"{Path(__file__).parent}{os.sep}"

#: Bytes of a traceback: twice as many, which is what JSON may make of them, still fit a message to the master.
MAX_TRACEBACK = 30_000


def compose_screen(target: str, fault: str, error: BaseException | None = None, advice: Iterable[str] = ()) -> str:
    """Return the screen: *fault* goes on from "cannot be loaded:", each of *advice* is a sentence."""
    parts = [f"{target!r} cannot be loaded: {fault}."]
    parts += [format_traceback(error)] if error else []
    parts += ["\n".join(advice)] if advice else []
    return "\n\n".join(parts)


def format_traceback(error: BaseException) -> str:
    """Return the traceback as the application's author knows it: no frame of ours, none of importlib."""
    report = traceback.TracebackException(type(error), error, error.__traceback__)
    drop_frames(report)
    return shorten("".join(report.format()).rstrip())


def drop_frames(report: traceback.TracebackException) -> None:
    related = [report.__cause__, report.__context__, *(getattr(report, "exceptions", None) or ())]
    report.stack[:] = [frame for frame in report.stack if not is_machinery(frame.filename)]
    for other in related:
        if other is not None:
            drop_frames(other)


def is_machinery(filename: str) -> bool:
    return filename.startswith(("<frozen importlib", _OURS)) or filename == importlib.__file__


def raised_by_application(error: BaseException) -> bool:
    """Say whether any code of the application ran before *error* was raised."""
    return any(not is_machinery(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__))


def shorten(text: str) -> str:
    """Return the end of *text*, where the reason stands, if it is longer than anybody reads."""
    plain = text.encode("ascii", "backslashreplace")
    if len(plain) <= MAX_TRACEBACK:
        return text
    return f"[... {len(plain) - MAX_TRACEBACK} bytes of the traceback are left out ...]\n{plain[-MAX_TRACEBACK:].decode()}"
