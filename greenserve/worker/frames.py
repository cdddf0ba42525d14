"""Where the application is, or was when it failed: our own frames tell its author nothing."""

from itertools import dropwhile
from traceback import StackSummary, walk_stack, walk_tb
from types import FrameType, TracebackType


def place_of(failure: BaseException) -> str:
    """Return where the application last was when *failure* was raised; empty if it was not called then."""
    frames = [frame for frame, _ in walk_tb(failure.__traceback__) if not is_ours(frame)]
    if not frames:
        return ""
    code = frames[-1].f_code
    return f" (in {code.co_name}, {code.co_filename}:{frames[-1].f_lineno})"


def is_ours(frame: FrameType) -> bool:
    module: str = frame.f_globals.get("__name__", "")
    return module.startswith("greenserve.")


def application_frames(failure: BaseException) -> TracebackType | None:
    """Return the traceback from where the application begins: our frames tell its author nothing."""
    frame = failure.__traceback__
    while frame is not None and is_ours(frame.tb_frame):
        frame = frame.tb_next
    return frame or failure.__traceback__


def describe_stack(innermost: FrameType | None) -> str:
    """Return the frames from where the application begins, or all if it is not in there; empty if there are none."""
    if innermost is None:
        return ""
    frames = [frame for frame, _ in walk_stack(innermost)][::-1]
    shown = list(dropwhile(is_ours, frames)) or frames
    lines = StackSummary.extract((frame, frame.f_lineno) for frame in shown).format()
    return ", here (most recent call last):\n" + "".join(lines).rstrip()
