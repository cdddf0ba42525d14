"""Builds greenserve: setuptools does the work, and Cython has its turn before.

What is compiled is said in greenserve/speedups.py, and found from the tree.
GREENSERVE_SPEEDUPS decides: unset compiles if it can, 0 never does, and with 1
what cannot be compiled is an error. A wheel is built in a fresh copy of what
belongs into it, so nothing is left behind in the checkout, and nothing that is
gone from the checkout is packed. An editable installation is plain unless 1 is
asked for: what was compiled before an edit would hide it.

`python .build/backend.py` compiles in place what has changed; it needs Cython.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from setuptools import Extension, build_meta, setup

from greenserve.errors import ConfigError
from greenserve.speedups import find_sources, read_switch

#: What Cython and the compiler need. A header of greenlet's is in its package.
TOOLS = ["cython >= 3.1", "greenlet >= 3.2"]

#: What a wheel is made of.
PARTS = ["greenserve", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]

#: The types of what is compiled come from .pxd files alone; annotations are for people.
#: Objects that come and go with each request take the place of the last ones.
#: Without binding a method is C's own kind, which takes a third of the instructions to call.
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,
    "binding": False,
    "freelist": 8,
    "show_performance_hints": False,
}

#: Ends the name of what is compiled for this Python.
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

# A setup script of its own makes the copy of the tree a project like any other.
SETUP_SCRIPT = "from backend import describe_extensions; from setuptools import setup; setup(**describe_extensions('.'))"

Settings = dict[str, Any] | None


# What pip and other frontends call (PEP 517, PEP 660).


get_requires_for_build_sdist = build_meta.get_requires_for_build_sdist
build_sdist = build_meta.build_sdist
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Ask for Cython where it will be used. Ends the build where it is asked for in vain."""
    return TOOLS if wants_compiled(find_obstacle()) else []


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    return TOOLS if insists() and wants_compiled(find_obstacle()) else []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    directory = os.path.abspath(metadata_directory)
    with copied_tree():
        return build_meta.prepare_metadata_for_build_wheel(directory, config_settings)


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    directory = os.path.abspath(wheel_directory)
    if not wants_compiled(find_obstacle() or find_missing_tool()):
        return build_in_copy(directory)
    try:
        return build_in_copy(directory, SETUP_SCRIPT)
    except SystemExit as error:
        if insists():
            raise
        report(f"This greenserve will be plain Python code, since compiling failed: {error}")
        return build_in_copy(directory)


def build_editable(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    if insists() and wants_compiled(find_obstacle() or find_missing_tool()):
        compile_in_place()
    else:
        remove_compiled([])
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


# What is to be done.


def insists() -> bool:
    return read_switch_or_exit() == "1"


def read_switch_or_exit() -> str:
    try:
        return read_switch()
    except ConfigError as error:
        sys.exit(str(error))


def wants_compiled(obstacle: str | None) -> bool:
    """Tell whether to compile; say why not, and end the build if that is an error."""
    if read_switch_or_exit() == "0":
        return False
    if obstacle and insists():
        sys.exit(f"GREENSERVE_SPEEDUPS=1 asks for compiled code, and {obstacle}.")
    if obstacle:
        report(f"This greenserve will be plain Python code, since {obstacle}.")
    return obstacle is None


def find_obstacle() -> str | None:
    """Return what keeps us from compiling: nothing to compile, no compiler, or no headers."""
    if not find_sources(Path("greenserve").absolute()):
        return "no module of it is made to be compiled"
    return find_obstacle_of_compiler()


def find_obstacle_of_compiler() -> str | None:
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    with TemporaryDirectory() as directory:
        probe = Path(directory, "probe.c")
        probe.write_text("#include <Python.h>\n")
        includes = f"-I{sysconfig.get_path('include')}"
        command = [*shlex.split(compiler), includes, "-c", str(probe), "-o", f"{probe}.o"]
        try:
            compiled = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            return f"the C compiler {compiler!r} cannot be run ({error.strerror})"
    if compiled.returncode == 0:
        return None
    return f"the C compiler {compiler!r} cannot compile for {sys.executable}, or Python's headers (python3-dev) are missing"


def find_missing_tool() -> str | None:
    """Return what was asked for and is not here, as in a build without isolation."""
    missing = [tool for tool in ("Cython", "greenlet") if find_spec(tool) is None]
    return f"{' and '.join(missing)} must be installed to compile it" if missing else None


def report(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


# How it is done.


def build_in_copy(wheel_directory: str, setup_script: str = "") -> str:
    """Build a wheel in a copy of the tree; return its name."""
    with copied_tree():
        if setup_script:
            Path("setup.py").write_text(setup_script)
        return build_meta.build_wheel(wheel_directory)


@contextmanager
def copied_tree() -> Iterator[None]:
    """Stand in a copy of what belongs into a wheel."""
    before = Path.cwd()
    with TemporaryDirectory(prefix="greenserve-build-") as directory:
        for part in PARTS:
            copy(before / part, Path(directory, part))
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.c", "*.so"))
    else:
        shutil.copy(source, target)


def compile_in_place() -> None:
    """Compile what has changed; the extension modules stand beside their sources."""
    remove_compiled(find_sources(Path("greenserve").absolute()))
    forget_other_ways("build/speedups")
    arguments = ["--quiet", "build_ext", "--inplace", "--build-temp", "build/speedups"]
    setup(script_args=arguments, **describe_extensions("build/speedups"))


def forget_other_ways(build_directory: str) -> None:
    """Forget what was compiled when this file was another: it may have been told to be made in another way."""
    changed = Path(__file__).stat().st_mtime_ns
    if any(made.stat().st_mtime_ns < changed for made in Path(build_directory).rglob("*.c")):
        shutil.rmtree(build_directory)


def remove_compiled(but_of: list[Path]) -> None:
    """Remove what was compiled in place for this Python, except for the sources that are named."""
    kept = {source.with_suffix(SUFFIX) for source in but_of}
    for compiled in Path("greenserve").absolute().rglob(f"*{SUFFIX}"):
        if compiled not in kept:
            compiled.unlink()


def describe_extensions(build_directory: str) -> dict[str, Any]:
    """Return the arguments of setup() that compile all there is to compile, on all cores."""
    # Here, for where there is no Cython nothing else is to fail.
    from Cython.Build import cythonize
    from Cython.Compiler.Errors import CompileError
    from Cython.Compiler.Options import get_directive_defaults

    # Cython knows it as a decorator alone, and loses the decorators of a class whose methods stand in a .py.
    get_directive_defaults()["freelist"] = 0
    cores = len(os.sched_getaffinity(0))
    extensions = [describe_extension(source) for source in find_sources(Path("greenserve"))]
    try:
        translated = cythonize(extensions, build_dir=build_directory, compiler_directives=DIRECTIVES, nthreads=cores, quiet=True)
    except CompileError as error:
        sys.exit(f"Cython found errors: {error}")
    return {"ext_modules": translated, "options": {"build_ext": {"parallel": cores}}}


def describe_extension(source: Path) -> Extension:
    name = ".".join(source.with_suffix("").parts)
    # The folder that has greenlet/greenlet.h.
    headers = Path(find_spec("greenlet").origin).parent.parent
    # Without -g0 an extension module is five times as large, for a debugger.
    return Extension(name, [str(source)], include_dirs=[str(headers)], extra_compile_args=["-g0"])


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    compile_in_place()
