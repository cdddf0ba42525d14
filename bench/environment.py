"""An environment of the benchmark's own: programs from apt, packages from pip, the floor from gcc.

What cannot be had is named and left out; nobody needs a compiler to compare the rest.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.peers import COMPILED, FLOOR, HERE, Certificate, Peer, Tools

ROOT = HERE.parent
VENV = ROOT / ".venv-bench"
BIN = VENV / "bin"

#: For applications and plots.
COMMON = ("flask", "matplotlib", "psycopg", "psycopg-binary", "psycopg-pool")


class Program(NamedTuple):
    """What has to be on the machine, by the file that shows it, and the package that brings it."""

    file: str
    package: str


PROGRAMS = (
    Program("wrk", "wrk"),
    Program("taskset", "util-linux"),
    Program("openssl", "openssl"),
    Program("gcc", "gcc"),
    Program("/usr/include/ev.h", "libev-dev"),
    Program("/usr/lib/postgresql", "postgresql"),
)


class Missing(Exception):
    """Without this there is no benchmark."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def install_programs() -> None:
    """Install what is missing where that is allowed, and say what to install elsewhere."""
    missing = [program.package for program in PROGRAMS if not is_there(program.file)]
    if not missing:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        say(f"Missing: {' '.join(missing)}. On Debian and Ubuntu: sudo apt-get install {' '.join(missing)}")
    else:
        subprocess.run(["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *missing], check=False)
    if not shutil.which("wrk") or not shutil.which("taskset"):
        raise Missing("The load is made with wrk, and taskset keeps server and load apart: please install them.")


def is_there(file: str) -> bool:
    return bool(shutil.which(file)) or Path(file).exists()


def install(peers: Iterable[Peer], work: Path) -> dict[str, str]:
    """Install greenserve and *peers*; return the peers that cannot be had, each with the reason."""
    if not (BIN / "python").exists():
        subprocess.run([ROOT / ".ci" / "create-venv", sys.executable, VENV], check=True)
    if reason := pip_install(COMMON):
        say(f"Some scenarios will be missing: {reason}")
    absent = {}
    if reason := install_greenserve(work):
        absent[COMPILED.name] = reason
    for peer in peers:
        reason = compile_floor(work) if peer is FLOOR else pip_install(peer.packages)
        if reason:
            absent[peer.name] = reason
    return absent


def install_greenserve(work: Path) -> str:
    """Install the checkout compiled, or else plain; return why it is plain, or nothing."""
    reason = build_greenserve(work, "1")
    if reason and (failure := build_greenserve(work, "0")):
        raise Missing(f"greenserve cannot be built: {failure}")
    (wheel,) = work.glob("greenserve-*.whl")
    subprocess.run(pip("install", "--quiet", str(wheel)), check=True)
    # The version is the same, and what is in it may not be.
    subprocess.run(pip("install", "--quiet", "--force-reinstall", "--no-deps", str(wheel)), check=True)
    return reason


def build_greenserve(work: Path, speedups: str) -> str:
    """Build a wheel in *work*; return what went wrong, or nothing."""
    environ = {**os.environ, "GREENSERVE_SPEEDUPS": speedups}
    command = pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(work), str(ROOT))
    return last_line(subprocess.run(command, env=environ, capture_output=True, text=True, check=False))


def pip(*words: str) -> list[str]:
    return [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", *words]


def pip_install(packages: Sequence[str]) -> str:
    """Install the packages unless they are there; return what went wrong, or nothing."""
    versions = installed_versions()
    if all(package.split()[0] in versions for package in packages):
        return ""
    done = subprocess.run([*pip("install", "--quiet"), *packages], capture_output=True, text=True, check=False)
    return last_line(done)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last that a program said if it failed, or nothing."""
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def installed_versions() -> dict[str, str]:
    """Return the version of every package in the environment, by its name in lower case."""
    listed = subprocess.run([*pip("list"), "--format", "json"], capture_output=True, text=True, check=True)
    return {each["name"].lower(): each["version"] for each in json.loads(listed.stdout)}


def floor_in(work: Path) -> Path:
    return work / "floor"


def compile_floor(work: Path) -> str:
    """Compile the floor into *work*; return what went wrong, or nothing."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if not compiler:
        return "no C compiler"
    done = subprocess.run([compiler, "-O2", "-o", floor_in(work), HERE / "floor.c"], capture_output=True, text=True, check=False)
    return last_line(done)


def tools_in(work: Path) -> Tools:
    return Tools(BIN, floor_in(work))


def make_certificate(work: Path) -> Certificate:
    """Make a certificate that signs itself, of the kind that most sites have."""
    pair = Certificate(str(work / "certificate.pem"), str(work / "key.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-out", pair.certfile, "-keyout", pair.keyfile]
    subprocess.run(command, check=True, capture_output=True)
    return pair


def make_file(work: Path, block: bytes, times: int) -> Path:
    """Write the large file that the `file` application serves."""
    path = work / "large-file"
    with path.open("wb") as file:
        for _ in range(times):
            file.write(block)
    return path
