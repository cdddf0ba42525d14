"""What a start loads and does, for whoever waits for it and for each worker's memory."""

import subprocess
import sys

import pytest

from tests.support.client import RawClient

#: What a server that only says hello has no use for. Each was there once, or is likely to creep in.
UNUSED_IN_MASTER = {
    "_sysconfigdata",
    "asyncio",
    "concurrent",
    "configparser",
    "ctypes",
    "email",
    "gevent",
    "greenlet",
    "hashlib",
    "html",
    "http",
    "importlib.metadata",
    "logging.config",
    "logging.handlers",
    "multiprocessing",
    "random",
    "ssl",
    "tempfile",
    "tomllib",
    "unittest",
    "urllib.request",
    "xml",
}

UNUSED_IN_WORKER = {
    "_sysconfigdata",
    "asyncio",
    "configparser",
    "ctypes",
    "greenserve.worker.tickets",
    "html",
    "http.client",
    "http.server",
    "logging.config",
    "logging.handlers",
    "multiprocessing",
    "socketserver",
    "sqlite3",
    "tomllib",
    "unittest",
    "urllib.request",
    "xml",
}

#: What gevent has a step for in patch_all.
PATCHED = ["os", "time", "_thread", "socket", "select", "selectors", "ssl", "subprocess", "signal", "queue"]

TOLD = "def told(event): print(type(event).__name__)"
PATCH = "from greenserve.worker.patch import patch_all"


def run(code, folder):
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    ).stdout.split()


def unused_of(loaded, unused):
    return {name for name in loaded if any(name == each or name.startswith((f"{each}.", f"{each}__")) for each in unused)}


def test_master_loads_nothing_that_it_does_not_use(tmp_path):
    loaded = run("import sys, greenserve.cli; print(*sys.modules)", tmp_path)

    assert set() == unused_of(loaded, UNUSED_IN_MASTER)


def test_worker_loads_nothing_that_it_does_not_use(start_server):
    server = start_server("loaded")

    with RawClient(server.address) as client:
        loaded = client.ask("/").content.decode().split()

    assert "greenserve.worker.boot" in loaded
    assert set() == unused_of(loaded, UNUSED_IN_WORKER)


def test_patching_reads_what_is_installed_once(tmp_path):
    count = "from importlib import metadata; ask = metadata.distributions; asked = []"
    counted = "metadata.distributions = lambda **how: (asked.append(how), ask(**how))[1]"

    found = run(f"{PATCH}\n{count}\n{counted}\npatch_all()\nprint(len(asked))", tmp_path)

    assert ["1"] == found


@pytest.mark.parametrize("patch", [PATCH, "from gevent.monkey import patch_all"])
def test_everything_is_patched_and_plugins_are_told_as_by_gevent(tmp_path, patch):
    package = tmp_path / "listener-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: listener\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[gevent.plugins.monkey.did_patch_all]\ntold = listener:told\n")
    (tmp_path / "listener.py").write_text(TOLD)

    found = run(
        f"{patch}\npatch_all()\nfrom gevent.monkey import is_module_patched as is_it\n"
        f"print(*[name for name in {PATCHED} if is_it(name)])",
        tmp_path,
    )

    assert ["GeventDidPatchAllEvent", *PATCHED] == found
