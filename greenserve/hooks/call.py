"""How a hook is called, and what becomes of what it raises."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("greenserve.error")


def call_hook(config: Any, name: str, *arguments: object) -> None:
    """Call the hook *name* of *config*, if there is one. Raises what it raises."""
    hook = getattr(config, name)
    if hook is not None:
        hook(*arguments)


def try_hook(config: Any, name: str, *arguments: object) -> None:
    """Do as `call_hook` does where the show must go on: what the hook raises is logged, sys.exit() included."""
    try:
        call_hook(config, name, *arguments)
    except (Exception, SystemExit):
        log.exception("%s failed, and was passed over", describe_hook(config, name))


def describe_hook(config: Any, name: str) -> str:
    """Return 'the hook on_exit (gunicorn.conf.py:12)'."""
    code = getattr(inspect.unwrap(getattr(config, name)), "__code__", None)
    return f"the hook {name}" + (f" ({code.co_filename}:{code.co_firstlineno})" if code else "")


def accepts(function: Callable[..., Any], count: int) -> bool:
    """Tell whether *function* can be called with so many arguments; of what does not say, we believe it."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def count_parameters(function: Callable[..., Any], most: int) -> int:
    """Return how many arguments *function* takes, *most* if it takes any number."""
    return next((count for count in range(most, 0, -1) if accepts(function, count)), most)
