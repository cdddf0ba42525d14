"""What a person's code may not leave behind in the master, where configuration files and some hooks run.

Each worker is forked from it: what is loaded here, unpatched, a worker would
have to take as it is. So gevent does not come in, and modules that a worker
must import anew are forgotten.
"""

import sys
import types
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from typing import Any

from greenserve.errors import ConfigError

#: What a configuration file is called while it runs.
RUN_NAME = "__config__"

REFUSAL = "imports gevent, which the master must not load: workers are patched before anything else"


@contextmanager
def barrier(directory: Path) -> Iterator[None]:
    """Put *directory* on the path, and keep out what must not stay. ConfigError is raised in what imports gevent."""
    before = set(sys.modules)
    finder: Any = GeventRefused()
    sys.path.insert(0, str(directory))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        with suppress(ValueError):
            sys.path.remove(str(directory))
        forget(set(sys.modules) - before, directory)


def forget(new: Set[str], directory: Path) -> None:
    """Forget those of the *new* modules that a worker has to import for itself.

    These are the application's own, which after a reload would not even be
    new, and those that hold on to an unpatched ssl: they end in endless
    recursion once it is patched. requests is one of them, through urllib3.
    """
    stale = find_holders_of_ssl({name: sys.modules[name] for name in new})
    for name in new:
        module = sys.modules[name]
        if top(name) in stale or isinstance(loader_of(module), StandIn) or belongs_to(module, directory):
            del sys.modules[name]


def belongs_to(module: types.ModuleType, directory: Path) -> bool:
    """Tell whether the module is the project's own; an environment inside its directory is not."""
    path = Path(getattr(module, "__file__", None) or "/")
    return path.is_relative_to(directory) and "site-packages" not in path.parts


# What holds on to an unpatched ssl.


def find_holders_of_ssl(modules: dict[str, types.ModuleType]) -> set[str]:
    """Return the packages among *modules* that have a class of ssl under a name of their own, or something of such a package."""
    context = getattr(sys.modules.get("ssl"), "SSLContext", None)
    if context is None:
        return set()
    own = {name: values_of(module) for name, module in modules.items() if top(name) not in sys.stdlib_module_names}
    found = {top(name) for name, values in own.items() if any(isinstance(v, type) and issubclass(v, context) for v in values)}
    grown = True
    while grown:
        more = {top(name) for name, values in own.items() if any(origin_of(value) in found for value in values)} - found
        found |= more
        grown = bool(more)
    return found


def values_of(module: types.ModuleType) -> list[object]:
    """Return what of other modules a module may have; other values are not touched, for some do much when they are."""
    return [value for value in vars(module).values() if isinstance(value, (types.ModuleType, type, types.FunctionType))]


def origin_of(value: object) -> str:
    """Return the package that *value* is, or comes from."""
    name = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", "")
    return top(str(name))


def top(name: str) -> str:
    return name.partition(".")[0]


# gevent.


class GeventRefused:
    """A finder that refuses gevent, which could not be unloaded again.

    But the file itself may import gevent.monkey, as many do that were written
    for another server: it gets one that patches nothing.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if top(name) != "gevent":
            return None
        if name in ("gevent", "gevent.monkey") and name_of_importer() == RUN_NAME:
            loader: Any = StandIn()
            return spec_from_loader(name, loader, is_package=name == "gevent")
        raise ConfigError(REFUSAL)


class StandIn:
    """Loads a module that has what a file needs to call gevent.monkey.patch_all(), and refuses the rest of gevent."""

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module will do."""

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__getattr__"] = find_patch if module.__name__ == "gevent.monkey" else refuse_gevent


def find_patch(name: str) -> Any:
    return patch_nothing if name.startswith("patch_") else refuse_gevent(name)


def refuse_gevent(name: str) -> None:
    # What the import itself asks for is not what the file asks for.
    if name == "monkey" or name.startswith("__"):
        raise AttributeError(name)
    raise ConfigError(REFUSAL)


def patch_nothing(*_: object, **__: object) -> None:
    """Workers are patched when this is called there, and the master is not to be."""


def name_of_importer() -> str:
    """Return the name of the module whose statement led here, past what the import system itself runs."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")) if frame is not None else ""


def loader_of(module: types.ModuleType) -> object:
    return getattr(getattr(module, "__spec__", None), "loader", None)
