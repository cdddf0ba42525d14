"""What can be known of a callable without calling it.

Answers lean towards yes: a callable that hides its signature, as those written
in C do, is taken for what its author says it is.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

_ASYNCHRONOUS = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)


def find_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        # Not the wrapped function's: werkzeug's @Request.application makes a
        # WSGI application of two arguments from a function of one.
        return inspect.signature(function, follow_wrapped=False)
    except (ValueError, TypeError):
        return None


def find_mismatch(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    """Return why *function* cannot be called with these arguments, or None."""
    signature = find_signature(function)
    try:
        if signature is not None:
            signature.bind(*positional, **named)
    except TypeError as error:
        return str(error)
    return None


def accepts_exchange(function: Callable[..., Any]) -> bool:
    return find_mismatch(function, ("environ", "start_response"), {}) is None


def looks_like_factory(function: Callable[..., Any]) -> bool:
    """Say whether *function* makes an application: it can be called with nothing or with one thing.

    Also if it is a class whose instances are called, or could be called with two
    arguments that both have defaults: no server calls an application with none.
    """
    if inspect.isclass(function) and any("__call__" in vars(base) for base in function.__mro__):
        return True
    signature = find_signature(function)
    if signature is None or is_open(signature):
        return False
    if accepts_exchange(function):
        return inspect.isroutine(function) and find_mismatch(function, (), {}) is None
    return inspect.isroutine(function) or inspect.isclass(function)


def is_open(signature: inspect.Signature) -> bool:
    """Say whether the signature takes any number of arguments, as that of a decorator does, and so tells nothing."""
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in signature.parameters.values())


def is_asynchronous(value: Any) -> bool:
    """Say whether *value* is an ASGI application: a coroutine function, or an object that is called like one."""
    call = inspect.getattr_static(type(value), "__call__", None)
    return any(test(candidate) for test in _ASYNCHRONOUS for candidate in (value, call))
