"""What `make` says to those whose machine is not ready."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.examples.conftest import ROOT

CREATE_VENV = ROOT / ".ci/create-venv"
INSTALL_PACKAGES = ROOT / ".ci/install-packages"


def write_program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, **options)


def test_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    python = write_program(tmp_path / "python", "exit 1")

    said = run(CREATE_VENV, python, tmp_path / "venv")

    assert 1 == said.returncode
    assert "greenserve needs Python 3.10 or later" in said.stderr
    assert "make PYTHON=" in said.stderr


def test_python_without_venv_is_told_which_package_brings_it(tmp_path: Path) -> None:
    python = write_program(tmp_path / "python", 'case "$2" in *version*) exit 0;; *) exit 1;; esac')

    said = run(CREATE_VENV, python, tmp_path / "venv")

    assert 1 == said.returncode
    assert "apt install python3-venv" in said.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_missing_packages_are_named_to_those_who_may_not_install_them() -> None:
    """The script is read from stdin, after what stands in for Debian's programs: others may not enter our directories."""
    nothing_installed = "dpkg-query() { return 1; }\napt-get() { echo installed without being asked; }\n"

    said = run("/bin/bash", "-s", "true", input=nothing_installed + INSTALL_PACKAGES.read_text(), user="nobody", cwd="/")

    assert 0 == said.returncode
    assert said.stdout.startswith("Some tests will be skipped. To run them: sudo apt-get install curl wrk ")
