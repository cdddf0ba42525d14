"""How many instructions a request takes: a regression of speed that no clock can hide."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: The form that is tested.
SERVER = "greenserve" if os.environ.get("GREENSERVE_SPEEDUPS") == "1" else "greenserve (plain Python)"

#: Generous: 254,000 with Python 3.10, 184,000 with 3.11. To be lowered with each step that makes it faster.
BOUND = 350_000


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_hello_does_not_take_more_instructions_than_it_used_to() -> None:
    command = [sys.executable, "-m", "bench.instructions", "--json", "--server", SERVER, "--request", "hello", "--number", "100"]

    counted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == counted.returncode, counted.stderr
    assert json.loads(counted.stdout)[SERVER]["hello"] < BOUND
