"""What real applications talk to: PostgreSQL, Redis, a slow TLS server.

Each is started when the first test asks for it, listens where nothing else can,
and is ended with the session. Where one is not installed, the tests that
ask for it are skipped and say so.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from typing import Any, NamedTuple

import pytest

#: PostgreSQL keeps three of them for its superuser, and 200 concurrent requests must fit beside a pool or two.
MAX_CONNECTIONS = 300


class PostgreSQL(NamedTuple):
    directory: str
    #: For psycopg and every other libpq client.
    url: str

    @property
    def sqlalchemy_url(self) -> str:
        return self.url.replace("postgresql://", "postgresql+psycopg://")


class HttpsUpstream(NamedTuple):
    url: str
    #: The file with the certificate authority that vouches for it.
    authority: str


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of its own, on a unix socket, for 300 clients."""
    binaries = find_postgresql()
    with service_directory("postgres") as directory:
        data = f"{directory}/data"
        initialise = [f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initialise, check=True, capture_output=True, cwd=directory, **as_user("postgres"))
        serve = [f"{binaries}/postgres", "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off"]
        serve += ["-c", f"max_connections={MAX_CONNECTIONS}"]
        # SIGINT is its fast stop; SIGTERM would wait for every client that a failed test forgot.
        with running_service(serve, "ready to accept connections", SIGINT, cwd=directory, **as_user("postgres")):
            yield PostgreSQL(directory, f"postgresql://postgres@/postgres?host={directory}")


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    """The path of the unix socket of a Redis server of its own."""
    server = shutil.which("redis-server") or pytest.skip("redis-server is not installed (apt install redis-server)")
    with service_directory() as directory:
        path = f"{directory}/redis.sock"
        serve = [server, "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory]
        with running_service(serve, "eady to accept connections", cwd=directory):
            yield path


@pytest.fixture(scope="session")
def https_upstream() -> Iterator[HttpsUpstream]:
    """A TLS server that takes a second for each answer."""
    trustme = pytest.importorskip("trustme")
    with service_directory() as directory:
        authority, certificate = Path(directory, "ca.pem"), Path(directory, "upstream.pem")
        maker = trustme.CA()
        maker.cert_pem.write_to_path(str(authority))
        maker.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        serve = [sys.executable, str(Path(__file__).with_name("upstream.py")), str(certificate)]
        with running_service(serve, "") as port:
            yield HttpsUpstream(f"https://localhost:{port}/", str(authority))


def find_postgresql() -> Path:
    """Return the directory of the newest PostgreSQL's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    return found[-1].parent if found else Path(str(on_path)).parent


def as_user(name: str) -> dict[str, Any]:
    """Return what makes subprocess run as *name* when we are root; PostgreSQL refuses to run as root."""
    return {"user": name, "group": name, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def service_directory(owner: str = "") -> Iterator[str]:
    """A directory of the service's own; the path is short, as those of unix sockets must be."""
    with tempfile.TemporaryDirectory(prefix="service-", ignore_cleanup_errors=True) as directory:
        if owner and os.geteuid() == 0:
            entry = pwd.getpwnam(owner)
            os.chown(directory, entry.pw_uid, entry.pw_gid)
        yield directory


@contextmanager
def running_service(command: list[str], ready: str, stop: Signals = SIGTERM, **options: Any) -> Iterator[str]:
    """Run *command* for the length of the block, and give the line that said it is *ready*.

    It is sent *stop* at the end, and also if this process is killed before.
    """
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", stop.name.removeprefix("SIG"), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        yield wait_for_line(process, ready)
    finally:
        process.send_signal(stop)
        process.communicate(timeout=30)


def wait_for_line(process: subprocess.Popen[str], ready: str) -> str:
    """Return the first line with *ready* in it. A service that ends without it fails with all it printed."""
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if ready in line:
            return line.strip()
    raise RuntimeError(f"{process.args!r} ended without {ready!r}:\n{''.join(printed)}")
