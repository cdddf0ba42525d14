"""What a configuration file says: keys, values, and the lines they stand on.

Knows no settings. A TOML file is read, a Python file is executed, in the master
process and therefore behind a barrier: gevent must not be loaded there.
"""

import ast
import importlib.util
import re
import runpy
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from greenserve.barrier import RUN_NAME, barrier
from greenserve.errors import ConfigError

#: What a value in a Python file can be; everything else there is machinery.
PLAIN = (str, bytes, bool, int, float, list, tuple, set, dict, types.NoneType)


class Entry(NamedTuple):
    """One key of a file. `place` names the file and, where it is known, the line."""

    key: str
    value: object
    place: str


def read_toml(path: Path, label: str, table: Sequence[str] = ()) -> list[Entry]:
    """Return the entries of the file's *table*, or of its top.

    Raises ConfigError if the file cannot be read or is not TOML.
    """
    text = read_text(path, label)
    found: Any = parse_toml(text, label)
    for name in table:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    if not isinstance(found, dict):
        raise ConfigError(f"{label}: {'.'.join(table)} is not a table")
    return [Entry(key, value, place(label, find_toml_line(text, key, table))) for key, value in found.items()]


def read_text(path: Path, label: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{label} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{label} is not UTF-8 text") from None


def parse_toml(text: str, label: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).rpartition(" (at ")
        line = re.match(r"line (\d+)", where)
        number = int(line[1]) if line else text.count("\n") + 1
        raise ConfigError(f"{place(label, number)} is not TOML: {what[:1].lower()}{what[1:]}") from None
    # The parser's own limits, and Python's for the digits of a number.
    except (RecursionError, ValueError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else "it has a number that is too long"
        raise ConfigError(f"{label} cannot be read: {what}") from None
    return found


def find_toml_line(text: str, key: str, table: Sequence[str]) -> int | None:
    """Return where *key* of *table* is given its value; the parser does not tell."""
    name = r"""["']?""" + re.escape(key) + r"""["']?"""
    dotted = re.escape(".".join(table))
    inside = not table
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            inside = header[1] == ".".join(table)
            if re.fullmatch(f"{dotted}\\.{name}" if table else name, header[1]):
                return number
        if re.match(rf"\s*{name}\s*[.=]" if inside else rf"\s*{dotted}\.{name}\s*=", line):
            return number
    return None


def place(label: str, line: int | None) -> str:
    return label if line is None else f"{label} line {line}"


def read_python(path: Path, label: str, directory: Path) -> list[Entry]:
    """Execute the file with *directory* importable; return the plain values it leaves under lower-case names.

    Raises ConfigError for whatever the file raises, with the line, and if it would load gevent.
    """
    source = read_text(path, label)
    return execute(lambda: runpy.run_path(str(path), run_name=RUN_NAME), str(path), source, label, directory)


def read_python_module(name: str, label: str, directory: Path) -> list[Entry]:
    """Do as `read_python` does for an importable module, anew each time."""
    with barrier(directory):
        origin = find_module_file(name, label)
    source = read_text(Path(origin), label)
    return execute(lambda: runpy.run_module(name, run_name=RUN_NAME), origin, source, label, directory)


def find_module_file(name: str, label: str) -> str:
    try:
        spec = importlib.util.find_spec(name)
    # Finding pkg.conf runs pkg, which may raise anything.
    except Exception as error:
        raise ConfigError(f"{label} cannot be found: {error}") from None
    if spec is None or spec.origin is None:
        raise ConfigError(f"{label} cannot be found: there is no module {name!r}")
    return spec.origin


def execute(run: Callable[[], Mapping[str, object]], origin: str, source: str, label: str, directory: Path) -> list[Entry]:
    """*run* a file whose code objects are called *origin*."""
    try:
        with barrier(directory):
            names = run()
    except ConfigError as error:
        raise ConfigError(f"{place(label, line_of_error(error, origin))} {error}") from None
    # Whatever the file raises is the file's mistake, sys.exit() included.
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        what = " ".join(str(getattr(error, "msg", None) or error).split())
        raise ConfigError(f"{place(label, line_of_error(error, origin))} raised {type(error).__name__}: {what}") from error
    plain = {name: value for name, value in names.items() if speaks_for_itself(name, value)}
    return [Entry(name, value, place(label, line_of_name(source, name))) for name, value in plain.items()]


def speaks_for_itself(name: str, value: object) -> bool:
    """Tell whether the name could be meant as a setting: lower-case, not private, and plain or perhaps a hook."""
    return name.islower() and not name.startswith("_") and (isinstance(value, PLAIN) or callable(value))


def line_of_name(source: str, name: str) -> int | None:
    """Return the last line that assigns to *name*, or defines it."""
    nodes = list(ast.walk(ast.parse(source)))
    assigned = [
        node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
    ]
    defined = [node.lineno for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    return max(assigned + defined, default=None)


def line_of_error(error: BaseException, origin: str) -> int | None:
    """Return the line of the file *origin* at which it went wrong, though that may have been in what it called."""
    if isinstance(error, SyntaxError) and error.filename == origin:
        return error.lineno
    traceback, line = error.__traceback__, None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == origin:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
