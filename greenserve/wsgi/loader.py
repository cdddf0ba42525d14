"""Finds the application that a target names, and says in one screen why it cannot.

What a target is stands in target.py, what to advise in advice.py, how a screen
looks in screen.py. Whatever belongs to the application may raise anything as
soon as it is touched, and each touch here ends in a screen.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from greenserve.errors import AppLoadError
from greenserve.wsgi import advice
from greenserve.wsgi.callables import accepts_exchange, find_mismatch, is_asynchronous, looks_like_factory
from greenserve.wsgi.screen import compose_screen, raised_by_application
from greenserve.wsgi.target import Call, Target, parse_target

Application = Callable[..., Any]


def make_importable(directory: str) -> None:
    """Put *directory* first on the path where modules are looked for, and nowhere else."""
    sys.path[:] = [directory, *(entry for entry in sys.path if entry != directory)]


def load_application(text: str) -> Application:
    """Return the WSGI application that the target *text* names.

    Raises AppLoadError, its message the whole screen, whatever the application does.
    """
    target = parse_target(text)
    module = import_application(target)
    found = find_attribute(target, module)
    application: Application = found if target.call is None else call_factory(target, found, target.call)
    inspect_application(target, application)
    return application


def failure(target: Target, fault: str, advised: list[str], error: BaseException | None = None) -> AppLoadError:
    return AppLoadError(compose_screen(target.text, fault, error, advised))


# The module half.


def import_application(target: Target) -> ModuleType:
    try:
        return importlib.import_module(target.module)
    # Of any kind: a module that calls sys.exit() would end the worker without a word.
    except BaseException as error:
        missing = find_missing(target, error)
        if missing:
            fault, advised = advice.on_missing_module(target, missing)
            raise failure(target, fault, advised) from error
        fault = f"the module {target.module!r} raised {type(error).__name__} while it was imported"
        raise failure(target, fault, advice.on_import(target, error), error) from error


def find_missing(target: Target, error: BaseException) -> str | None:
    """Return the module that does not exist, if it is the one named or a package it should be in."""
    if not isinstance(error, ModuleNotFoundError) or raised_by_application(error):
        return None
    return error.name if f"{target.module}.".startswith(f"{error.name}.") else None


# The attribute half.


def find_attribute(target: Target, module: ModuleType) -> Any:
    found: Any = module
    for name in target.attributes:
        owner = found
        try:
            found = getattr(owner, name)
        except Exception as error:
            # A property, or a module's __getattr__, is the application's code.
            if raised_by_application(error):
                fault = f"reading the attribute {target.dotted!r} of module {target.module!r} raised {type(error).__name__}"
                raise failure(target, fault, advice.on_raised(error), error) from error
            fault, advised = advice.on_missing_attribute(target, module, owner, name)
            raise failure(target, fault, advised) from error
    return found


def call_factory(target: Target, factory: Any, call: Call) -> Any:
    refuse_other_than_factory(target, factory, call)
    try:
        return factory(*call.positional, **call.named)
    except BaseException as error:
        fault = f"the factory {target.dotted!r} of module {target.module!r} raised {type(error).__name__}"
        raise failure(target, fault, advice.on_raised(error), error) from error


def refuse_other_than_factory(target: Target, factory: Any, call: Call) -> None:
    if not callable(factory):
        fault = f"the attribute {target.dotted!r} of module {target.module!r} is {describe(factory)}, which cannot be called"
        raise failure(target, fault, ["Leave out the parentheses, or name the factory."])
    mismatch = find_mismatch(factory, call.positional, call.named)
    if mismatch and accepts_exchange(factory):
        fault = f"the attribute {target.dotted!r} of module {target.module!r} is an application, not a factory"
        raise failure(target, fault, [f"Leave out the parentheses: use '{target.module}:{target.dotted}'."])
    if mismatch:
        fault = f"the factory {target.dotted!r} of module {target.module!r} cannot be called like this ({mismatch})"
        raise failure(target, fault, advice.on_mismatch(target, factory))


# What was found.


def inspect_application(target: Target, application: Any) -> None:
    try:
        refuse_other_than_wsgi(target, application)
    except AppLoadError:
        raise
    except Exception as error:
        # Flask's `request` and `current_app` are proxies, and raise at the first look outside of a request.
        fault = f"{subject(target)} raised {type(error).__name__} when it was looked at"
        raise failure(
            target, fault, ["Name the application object, which most frameworks call app or application."], error
        ) from error


def refuse_other_than_wsgi(target: Target, application: Any) -> None:
    """Refuse what would only fail at the first request.

    Lenient where nothing can be known: a callable without a signature passes.
    """
    what = subject(target)
    if is_asynchronous(application):
        raise failure(target, f"{what} is asynchronous (ASGI), and greenserve serves WSGI", advice.on_asgi(target))
    if not callable(application):
        raise failure(target, f"{what} is {describe(application)}, not an application", advice.on_uncallable(target, application))
    if target.call is None and looks_like_factory(application):
        raise failure(target, f"{what} is a factory, not an application", advice.on_factory(target, application))
    if not accepts_exchange(application):
        fault = f"{what} cannot be called with (environ, start_response), as WSGI calls an application"
        raise failure(target, fault, ["Name the application itself. See PEP 3333, or your framework's page on deployment."])


def subject(target: Target) -> str:
    if target.call is not None:
        return f"what the factory {target.dotted!r} of module {target.module!r} returned"
    return f"the attribute {target.dotted!r} of module {target.module!r}"


def describe(value: Any) -> str:
    """Return the kind of *value* with its article; not its text, which may be a secret."""
    name = "None" if value is None else type(value).__name__
    article = "" if value is None else "an " if name[0] in "aeiouAEIOU" else "a "
    return article + name
