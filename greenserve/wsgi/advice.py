"""What to do about an application that cannot be loaded.

Looks at modules, at the folder and at the environment, and guesses what was
meant. A guess is offered, never acted upon.
"""

import difflib
import glob
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from greenserve.wsgi.callables import find_signature, looks_like_factory
from greenserve.wsgi.target import Target

#: Modules whose package has another name. Installing the module's own name may install a stranger's code.
PACKAGES = {
    "MySQLdb": "mysqlclient",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "corsheaders": "django-cors-headers",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "environ": "django-environ",
    "flask_sqlalchemy": "Flask-SQLAlchemy",
    "jwt": "PyJWT",
    "psycopg2": "psycopg2-binary",
    "rest_framework": "djangorestframework",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}

MAX_DEFINITION = 120


# A module that does not exist.


def on_missing_module(target: Target, missing: str) -> tuple[str, list[str]]:
    """Return the fault and the advice for a target in which *missing* is no module."""
    parent, _, name = missing.rpartition(".")
    if parent:
        package = sys.modules[parent]
        folders = [Path(folder) for folder in getattr(package, "__path__", ())]
        fault = f"{parent!r} was imported from {origin(package)}, but has no module {name!r}"
    else:
        folders = [Path.cwd()]
        fault = f"there is no module {name!r} in {folders[0]}, nor in this Python environment"
    return fault, list(advise_on_module(target, missing, folders))


def advise_on_module(target: Target, missing: str, folders: list[Path]) -> Iterator[str]:
    parent, _, name = missing.rpartition(".")
    meant = closest(name, {module for folder in folders for module in modules_in(folder)})
    if parent and name == "py":
        yield f"Name the module, not its file: use {suggest(target, parent)}."
    elif parent and hasattr(sys.modules[parent], name):
        yield f"Did you mean '{parent}:{name}'? An attribute follows a colon."
    elif meant:
        yield f"Did you mean {suggest(target, '.'.join(filter(None, (parent, meant))))}?"
    elif not parent and (below := find_below(name, Path.cwd())):
        yield f"It is in {below}: add --chdir {below}"
    else:
        yield "Start greenserve in the folder that holds the module, or name that folder: --chdir FOLDER"


def modules_in(folder: Path) -> set[str]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return set()
    files = {entry.stem for entry in entries if entry.suffix == ".py" and entry.stem != "__init__"}
    return files | {entry.name for entry in entries if entry.name.isidentifier() and (entry / "__init__.py").exists()}


def find_below(name: str, folder: Path) -> str | None:
    """Return the folder in *folder* that has a module *name*, as with a `src` layout."""
    literal = glob.escape(name)
    found = sorted((*folder.glob(f"*/{literal}.py"), *folder.glob(f"*/{literal}/__init__.py")))
    return str(found[0].relative_to(folder).parts[0]) if found else None


# A module that cannot be imported.


def on_import(target: Target, error: BaseException) -> list[str]:
    return on_error(error) or [f"The error is the application's own: python -c 'import {target.module}' shows it too."]


def on_raised(error: BaseException) -> list[str]:
    return on_error(error) or ["The error is the application's own: the last lines above tell where it comes from."]


def on_error(error: BaseException) -> list[str]:
    """Return what to do about an *error* that any application may raise while it is loaded."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return list(advise_on_dependency(error.name))
    if isinstance(error, SyntaxError):
        return [f"Correct the line shown above. This is Python {sys.version_info.major}.{sys.version_info.minor}."]
    if isinstance(error, SystemExit):
        return ['It ends the process. What is for a script only belongs under: if __name__ == "__main__":']
    if isinstance(error, ImportError):
        return [
            "The module exists, the name does not: look for modules that import each other, and for another version of a package."
        ]
    if isinstance(error, KeyError) and reads_environment(error):
        return [f"An environment variable is not set: set it, or add --env {error.args[0]}=VALUE"]
    return []


def reads_environment(error: KeyError) -> bool:
    frames = list(frame_files(error))
    return bool(frames) and frames[-1] in (os.__file__, "<frozen os>")


def frame_files(error: BaseException) -> Iterator[str]:
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame.f_code.co_filename
        step = step.tb_next


def advise_on_dependency(name: str) -> Iterator[str]:
    """Tell where the module *name* should have come from: the folder, or the environment."""
    top = name.partition(".")[0]
    if top in modules_in(Path.cwd()):
        yield f"{top!r} is your own, but it has no module {name!r}: look for a misspelled import, or a missing file."
        return
    yield f"{name!r} is not installed in the Python environment that runs greenserve, {sys.prefix}."
    active = os.environ.get("VIRTUAL_ENV")
    if active and os.path.realpath(active) != os.path.realpath(sys.prefix):
        yield f"The active environment is another one, {active}: install greenserve there, and start it from there."
    else:
        yield f"If it is a package, install it: {sys.executable} -m pip install {PACKAGES.get(top, top)}"


# An attribute that does not exist.


def on_missing_attribute(target: Target, module: ModuleType, owner: Any, name: str) -> tuple[str, list[str]]:
    """Return the fault and the advice for an *owner*, perhaps the module, without *name*."""
    fault = f"the module {target.module!r} was imported from {origin(module)}, but has no {name!r}"
    if owner is module:
        return fault, list(advise_on_attribute(target, module, name))
    fault = f"{target.dotted!r} of module {target.module!r} cannot be followed: a {type(owner).__name__} has no {name!r}"
    meant = closest(name, set(dir(owner)))
    return fault, [f"Did you mean {meant!r} in place of {name!r}?" if meant else "Name an attribute that it has."]


def advise_on_attribute(target: Target, module: ModuleType, name: str) -> Iterator[str]:
    own = own_callables(module)
    meant = closest(name, set(own)) or ("app" if "app" in own else None)
    inner = find_wsgi_module(module, name)
    if is_stranger(module):
        yield f"It is not the {module.__name__!r} of this folder: Python has one of that name, so rename yours."
    elif inner:
        yield f"Did you mean '{inner}'?"
    elif meant:
        yield f"Did you mean '{spell(module, meant)}'?"
    elif own:
        yield "It has these callables: " + ", ".join(spell(module, other) for other in sorted(own)[:8])
    else:
        yield "It has nothing that could be called. Is it the right module?"


def is_stranger(module: ModuleType) -> bool:
    """Say whether the folder has a module of that name, but another was imported before it: `code.py`, `queue.py`."""
    folder = Path.cwd()
    return module.__name__ in modules_in(folder) and folder not in Path(origin(module)).parents


def own_callables(module: ModuleType) -> dict[str, Any]:
    """Return what the module made itself: not the classes and functions it imported."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_") and callable(value)}
    return {name: value for name, value in public.items() if not is_imported(value, module)}


def is_imported(value: Any, module: ModuleType) -> bool:
    if type(value).__module__ == "werkzeug.local":
        # Flask's `request`, `session` and `g`: proxies, which must not be asked anything outside of a request.
        return True
    return (inspect.isclass(value) or inspect.isroutine(value)) and getattr(value, "__module__", None) != module.__name__


def find_wsgi_module(package: ModuleType, name: str) -> str | None:
    """Return the target within *package* that was meant: `wsgi` is where Django keeps the application."""
    inner = {module for folder in getattr(package, "__path__", ()) for module in modules_in(Path(folder))}
    if name in inner:
        return f"{package.__name__}.{name}"
    return f"{package.__name__}.wsgi" if "wsgi" in inner else None


def spell(module: ModuleType, name: str) -> str:
    """Return the target that names *name*, with parentheses if it is a factory."""
    value = getattr(module, name)
    return f"{module.__name__}:{name}" + ("()" if inspect.isroutine(value) and looks_like_factory(value) else "")


# Something found that is not an application.


def on_mismatch(target: Target, factory: Any) -> list[str]:
    return [f"It is defined as {define(target, factory)}."]


def on_factory(target: Target, factory: Any) -> list[str]:
    signature = find_signature(factory)
    needs = [] if signature is None else [one for one in signature.parameters.values() if one.default is one.empty]
    required = [one.name for one in needs if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    arguments = ", ".join(f"{name}=..." for name in required)
    advised = [f"Did you mean '{target.module}:{target.dotted}({arguments})'? It is defined as {define(target, factory)}."]
    # A view looks like a factory.
    if other := find_application(sys.modules[target.module]):
        advised.append(f"The application may be '{target.module}:{other}', which the module has too.")
    return advised


def find_application(module: ModuleType) -> str | None:
    """Return the usual name of an application, if *module* has an object of that name that could be one."""
    own = own_callables(module)
    usual = (name for name in ("app", "application") if name in own)
    return next((name for name in usual if not inspect.isclass(own[name]) and not looks_like_factory(own[name])), None)


def define(target: Target, factory: Any) -> str:
    """Return the line that defines *factory*, or so much of it that it is known again."""
    signature = find_signature(factory)
    text = f"{target.attributes[-1]}{signature}"
    return text if len(text) <= MAX_DEFINITION else f"{text[:MAX_DEFINITION]}..."


def on_uncallable(target: Target, value: Any) -> list[str]:
    if value is None and target.call:
        return ["Does the factory return the application at its end?"]
    if inspect.iscoroutine(value):
        # Unawaited, it would warn about itself in the middle of our screen.
        value.close()
        return ["The factory is asynchronous. Write it with def in place of async def."]
    if isinstance(value, ModuleType):
        return [f"Did you mean '{value.__name__}:app' or '{value.__name__}:application'?"]
    return ["Name the application object, which most frameworks call app or application."]


def on_asgi(target: Target) -> list[str]:
    advised = [
        "Serve it with an ASGI server (uvicorn, hypercorn), or wrap it with a bridge such as a2wsgi:",
        f"    from a2wsgi import ASGIMiddleware; application = ASGIMiddleware({target.attributes[-1]})",
    ]
    if target.module.endswith(".asgi"):
        advised.insert(0, f"Django has both: did you mean '{target.module.removesuffix('asgi')}wsgi'?")
    return advised


# Words in common.


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* that *word* may be a misspelling of."""
    spelled = {name.lower(): name for name in sorted(known)}
    return next((spelled[match] for match in difflib.get_close_matches(word.lower(), spelled, 1, 0.6)), None)


def suggest(target: Target, module: str) -> str:
    """Return the target as it was written, but for its module."""
    _, colon, attribute = target.text.partition(":")
    return repr(f"{module}{colon}{attribute}")


def origin(module: ModuleType) -> str:
    """Return where *module* came from: the file, or the folder of a package without one."""
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "this Python itself")
