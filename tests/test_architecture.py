"""The import graph is part of the design.

These tests keep it the way docs/explanation/architecture.md draws it. If one
fails for your change, the change is probably in the wrong room.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "greenserve"

VALUES = {
    "errors",
    "kinds",
    "cpus",
    "setting",
    "hooks",
    "config",
    "flags",
    "gunicorn",
    "barrier",
    "files",
    "sources",
    "status",
    "mailbox",
    "log",
    "seat",
    "title",
    "account",
    "speedups",
}

#: What each part may import besides itself. Read it top-down: a part knows
#: only the parts above its own line.
MAY_IMPORT = {
    "errors": set(),
    "kinds": {"errors"},
    "cpus": set(),
    "setting": {"kinds"},
    "hooks": {"kinds"},
    "config": {"errors", "kinds", "cpus", "setting", "hooks"},
    "gunicorn": set(),
    "speedups": {"errors"},
    "flags": {"errors", "kinds", "setting", "config", "gunicorn", "speedups"},
    "barrier": {"errors"},
    "files": {"errors", "barrier"},
    "sources": {"errors", "kinds", "config", "gunicorn", "flags", "files"},
    "migration": {"errors", "kinds", "config", "gunicorn", "files"},
    "status": {"errors"},
    "mailbox": {"errors"},
    "log": {"errors"},
    "seat": {"config", "hooks", "mailbox", "status"},
    "title": {"config"},
    "account": {"errors"},
    "protocol": {"errors"},
    "wsgi": {"errors", "protocol"},
    "worker": VALUES | {"protocol", "wsgi"},
    "master": VALUES,
    "cli": VALUES | {"migration", "wsgi", "worker", "master"},
    "__init__": {"speedups"},
    "__main__": {"cli"},
}

#: Third-party and standard modules that would make a part something else.
FORBIDDEN = {
    "protocol": {"gevent", "greenlet", "socket", "ssl", "select", "os", "time", "logging", "threading"},
    "wsgi": {"gevent", "greenlet", "socket", "ssl", "select"},
    "master": {"gevent", "greenlet", "threading", "ssl", "queue", "concurrent", "subprocess", "multiprocessing"},
    "cli": {"gevent", "greenlet"},
} | {value: {"gevent", "greenlet", "threading", "ssl"} for value in VALUES}

#: Imports that may stand inside a function, each with its reason.
LAZY = {
    ("cli.py", "greenserve.worker"): "the master process must never load gevent",
    ("master/watcher.py", "watchfiles"): "an optional extra, loaded only in the process that watches",
    ("master/mold.py", "ctypes"): "only --preload needs it, and every fork would inherit it",
    ("worker/selfsigned.py", "trustme"): "an optional extra, for development",
    ("worker/websocket.py", "geventwebsocket"): "an application's own package, which may not be there",
    ("log/configured.py", "logging.config"): "it loads socketserver and more, for the few who configure logging",
    ("log/configured.py", "configparser"): "logging.config loads it too, for one of its two formats",
    ("worker/boot.py", "greenserve.worker.tickets"): "it loads ctypes, for those who have TLS",
    ("wsgi/error_page.py", "html"): "it loads the names of 2,000 characters, for a page that only --reload shows",
    ("files.py", "tomli"): "Python 3.10 has no tomllib",
    ("files.py", "tomllib"): "loaded only when there is a file to read",
}


def sources(pattern="*.py"):
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted(ROOT.rglob(pattern))]


def part_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def names_in(node, path):
    """Yield the absolute dotted name of everything the import statement *node* names."""
    package = ("greenserve", *path.relative_to(ROOT).parent.parts)
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else ()
        base += tuple(node.module.split(".")) if node.module else ()
        yield from ([".".join(base)] if base != ("greenserve",) else [f"greenserve.{alias.name}" for alias in node.names])


@pytest.mark.parametrize("path", sources())
def test_module_imports_only_what_its_part_may_know(path):
    part = part_of(path)
    names = [name for node in ast.walk(ast.parse(path.read_text())) for name in names_in(node, path)]

    for name in names:
        top, _, rest = name.partition(".")
        if top != "greenserve":
            assert top not in FORBIDDEN.get(part, ()), f"{name}: {part} is built to work without it"
        elif rest not in ("", "__version__"):
            known = MAY_IMPORT[part] | {part}
            assert rest.partition(".")[0] in known, f"{name}: {part} may know only {sorted(known)}"


@pytest.mark.parametrize("path", sources())
def test_imports_stand_at_the_top(path):
    """A late import hides a dependency; each that must be late has its reason in LAZY."""
    where = str(path.relative_to(ROOT))
    functions = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    late = {name for function in functions for node in ast.walk(function) for name in names_in(node, path)}

    for name in late:
        assert any(where == file and name.startswith(module) for file, module in LAZY), (
            f"{where} imports {name} inside a function"
        )


@pytest.mark.parametrize("path", sources() + sources("*.pyx"))
def test_file_fits_one_noun(path):
    """450 lines is where a file has become two nouns."""
    assert len(path.read_text().splitlines()) <= 450
