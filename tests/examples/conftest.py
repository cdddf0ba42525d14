"""The examples, served as their READMEs say."""

import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.support.server import RunningServer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The message board with four workers, on each of its databases."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('board')}/board.sqlite3"
    else:
        url = create_database(request.getfixturevalue("postgresql").url)
    with RunningServer("--workers", "4", "app:app", cwd=EXAMPLES / "flask_board", env={"DATABASE_URL": url}) as server:
        yield server


def create_database(server_url: str) -> str:
    """Return the URL of a new database of that server."""
    name = f"board_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server_url.replace("/postgres?", f"/{name}?")


@pytest.fixture
def reserved_port() -> Iterator[int]:
    """A port that nobody else is given, and that a server may yet bind.

    Linux lets a second socket bind the address as long as both set
    SO_REUSEADDR and the first does not listen.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("0.0.0.0", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def artifacts() -> Path:
    """Where pictures are kept for whoever looks at the run."""
    directory = ROOT / "artifacts"
    directory.mkdir(exist_ok=True)
    return directory
