"""The units of examples/deploy are good, and the command in them is one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from greenserve.sources import load_config

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed (apt install systemd)")
def test_units_are_good(tmp_path):
    for name in ("greenserve.service", "greenserve.socket"):
        text = (DEPLOY / name).read_text()
        (tmp_path / name).write_text(text.replace("/srv/shop/.venv/bin", str(Path(sys.executable).parent)))

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert [] == [line for line in verified.stderr.splitlines() if "greenserve." in line]


def test_command_of_the_service_is_one(tmp_path):
    (command,) = re.findall(r"^ExecStart=\S+/greenserve (.*)$", (DEPLOY / "greenserve.service").read_text(), re.MULTILINE)

    assert 4 == load_config(command.split(), {}, tmp_path).config.workers
