"""A PostgreSQL of the benchmark's own, for applications that wait for one.

It runs beside the load, and what it uses is not the server's.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import Any

#: Where Debian keeps the programs, off the PATH.
DEBIAN = Path("/usr/lib/postgresql")

OWNER = "postgres"

#: Seconds.
STARTING = 30.0
PAUSE = 0.1


class NoDatabase(Exception):
    """PostgreSQL is not there, or does not start."""


@contextmanager
def run_postgresql() -> Iterator[str]:
    """Run PostgreSQL on a unix socket for the length of the block, and give its URL."""
    binaries, options = find_binaries(), as_owner()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        give_away(folder)
        data = f"{folder}/data"
        initialise = [f"{binaries}/initdb", "-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initialise, check=True, capture_output=True, cwd=folder, **options)
        serve = [f"{binaries}/postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        process = subprocess.Popen(serve, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        try:
            wait_for_socket(folder)
            yield f"postgresql://{OWNER}@/postgres?host={folder}"
        finally:
            process.send_signal(SIGINT)
            process.wait()


def find_binaries() -> Path:
    """Return the directory of the newest PostgreSQL; raises NoDatabase if there is none."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        raise NoDatabase("PostgreSQL is not installed")
    return Path(initdb).parent


def wait_for_socket(folder: str) -> None:
    """PostgreSQL makes the lock file beside its socket when it listens."""
    deadline = time.monotonic() + STARTING
    while not list(Path(folder).glob(".s.PGSQL.*.lock")):
        if time.monotonic() > deadline:
            raise NoDatabase("PostgreSQL does not start")
        time.sleep(PAUSE)


def give_away(folder: str) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)


def as_owner() -> dict[str, Any]:
    """Return what makes subprocess run as another when we are root, which PostgreSQL refuses."""
    if os.geteuid():
        return {}
    try:
        pwd.getpwnam(OWNER)
    except KeyError as error:
        raise NoDatabase(f"there is no user {OWNER}, and as root PostgreSQL does not start") from error
    return {"user": OWNER, "group": OWNER, "extra_groups": []}
