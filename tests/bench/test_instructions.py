"""How many instructions a request takes: a regression of speed that no clock can hide."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Generous: with Python 3.11 it takes 125,000, and compiled 26,000. To be lowered with each step that makes it faster.
BOUNDS = {"greenserve (plain Python)": 240_000, "greenserve": 60_000}

#: The form that is tested.
SERVER = "greenserve" if os.environ.get("GREENSERVE_SPEEDUPS") == "1" else "greenserve (plain Python)"


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_hello_does_not_take_more_instructions_than_it_used_to() -> None:
    command = [sys.executable, "-m", "bench.instructions", "--json", "--server", SERVER, "--request", "hello", "--number", "100"]

    counted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == counted.returncode, counted.stderr
    assert json.loads(counted.stdout)[SERVER]["hello"] < BOUNDS[SERVER]
