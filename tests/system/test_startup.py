"""What a start loads and does, for whoever waits for it and for each worker's memory."""

import subprocess
import sys

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
