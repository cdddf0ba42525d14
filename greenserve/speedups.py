"""Which modules are compiled, and whether their compiled form is in force.

Compiled is what has the types for it beside it: each `x.pxd` beside an `x.py`,
and each `x.pyx`. The extension module stands beside its source under the same
name, and Python prefers it. GREENSERVE_SPEEDUPS has the say: 0 passes it by,
1 insists on it. The build asks here, too.
"""

import os
import sys
from importlib.machinery import SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, PathFinder, SourceFileLoader
from pathlib import Path

from greenserve.errors import ConfigError

PACKAGE = Path(__file__).parent


def read_switch() -> str:
    """Return what GREENSERVE_SPEEDUPS says: 0, 1, or nothing. Raises ConfigError."""
    value = os.environ.get("GREENSERVE_SPEEDUPS", "")
    if value not in ("", "0", "1"):
        raise ConfigError(
            f"GREENSERVE_SPEEDUPS is {value!r}: 0 is plain Python code, 1 insists on compiled code, unset takes what there is"
        )
    return value


def find_sources(package: Path = PACKAGE) -> list[Path]:
    """Return the source of each module that Cython compiles."""
    typed = {types.with_suffix(".py") for types in package.rglob("*.pxd")}
    return sorted({source for source in typed if source.exists()} | set(package.rglob("*.pyx")))


def is_compiled(source: Path) -> bool:
    """Tell whether an import finds the compiled form of *source*."""
    spec = PathFinder.find_spec(source.stem, [str(source.parent)])
    return spec is not None and isinstance(spec.loader, ExtensionFileLoader)


def describe_form() -> str:
    """Return what runs, in the words of the log."""
    found = {is_compiled(source) for source in find_sources()}
    if found == {True}:
        return "compiled code"
    return "partly compiled code" if True in found else "plain Python code"


def check_switch() -> None:
    """See that what GREENSERVE_SPEEDUPS asks for is in force. Raises ConfigError."""
    if read_switch() == "1" and describe_form() != "compiled code":
        plain = ", ".join(str(source.relative_to(PACKAGE)) for source in find_sources() if not is_compiled(source))
        raise ConfigError(
            f"GREENSERVE_SPEEDUPS=1 asks for compiled code, and this greenserve is {describe_form()}"
            f"{plain and f' (plain: {plain})'}: install it where there is a C compiler, or unset GREENSERVE_SPEEDUPS"
        )


def import_sources_only() -> None:
    """Pass by what is compiled in every import from here on."""
    sys.path_hooks.insert(0, find_in_sources)
    # This module was found by the finder that takes both forms.
    sys.path_importer_cache.pop(str(PACKAGE), None)


def find_in_sources(folder: str) -> FileFinder:
    """Return a finder for a folder of ours; ImportError leaves any other to the finders that follow."""
    if not Path(folder).is_relative_to(PACKAGE):
        raise ImportError
    return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
