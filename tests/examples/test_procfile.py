"""The Procfile, started by a runner as a platform would."""

import os
import signal
import sys
from pathlib import Path

import requests

from tests.examples.conftest import ROOT
from tests.support.server import RunningServer

HONCHO = (sys.executable, "-m", "honcho", "start")


def test_procfile_serves_the_board_on_the_port_of_the_platform(reserved_port: int, tmp_path: Path) -> None:
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": str(reserved_port),
        "DATABASE_URL": f"sqlite:///{tmp_path}/board.sqlite3",
    }

    with RunningServer(command=HONCHO, cwd=ROOT, env=env, sockets=()) as platform:
        page = requests.get(f"http://127.0.0.1:{reserved_port}/", timeout=30)
        platform.stop(signal.SIGTERM)

    assert 200 == page.status_code
    assert "Message board" in page.text
