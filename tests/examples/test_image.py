"""The container image, built from the Dockerfile and run without a container engine.

mmdebstrap makes a Debian base, buildah builds on it, podman and runc run it. A
machine that cannot do that skips, and says so; hadolint reads the Dockerfile
everywhere.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.examples.conftest import ROOT
from tests.support.services import wait_for_line

#: What a container has to live with: it may write only to the temporary directory podman gives it.
CONFINED = ("--read-only", "--cap-drop=all", "--network=host", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000")

#: Debian's directories, which a base from mmdebstrap does not name.
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: What is not needed here, and would be copied at every step.
WITHOUT_DOCS = tuple(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale"))


def test_dockerfile_has_no_known_faults() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)

    assert "" == found.stdout
    assert 0 == found.returncode


@pytest.mark.parametrize(
    ("target", "speedups", "form", "expected"),
    [("greenserve", "1", "compiled code", "Hello from greenserve"), ("board", "0", "plain Python code", "Message board")],
)
def test_image_serves_confined_and_stops_in_order(
    store: "Store", target: str, speedups: str, form: str, expected: str, reserved_port: int
) -> None:
    store.build(target, speedups)

    with store.run(target, f"PORT={reserved_port}", "WEB_CONCURRENCY=2") as container:
        wait_for_line(container, form)
        wait_for_line(container, "ready")
        page = requests.get(f"http://127.0.0.1:{reserved_port}/", timeout=30)
        container.send_signal(signal.SIGTERM)
        code = container.wait(timeout=60)

    assert expected in page.text
    assert 0 == code
    assert "1000:1000" == store.user_of(target)


@pytest.fixture(scope="module")
def store() -> Iterator["Store"]:
    """Images of our own, away from those of the machine; empty but for a Debian base with Python."""
    missing = [name for name in ("mmdebstrap", "buildah", "podman", "runc") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"the image is not tested: {'missing ' + ', '.join(missing) if missing else 'building it needs root'}")
    with tempfile.TemporaryDirectory(prefix="images-", ignore_cleanup_errors=True) as directory:
        store = Store(Path(directory))
        store.make_base()
        yield store


class CommandFailed(Exception):
    """A program that makes images ended with an error."""


class Store:
    """A directory with images, and the wheels that are built into them."""

    def __init__(self, directory: Path) -> None:
        self.wheels = directory / "wheels"
        self._base = directory / "base.tar"
        place = ("--storage-driver", "vfs", "--root", f"{directory}/root", "--runroot", f"{directory}/run")
        self._buildah = ("buildah", *place)
        self._podman = ("podman", *place, "--tmpdir", f"{directory}/tmp", "--runtime", "runc", "--cgroup-manager", "cgroupfs")

    def make_base(self) -> None:
        """Make the image `base`; skip where the machine cannot, or cannot run a program in it."""
        suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
        try:
            execute("mmdebstrap", "--variant=minbase", *WITHOUT_DOCS, "--include=python3,python3-venv", suite, str(self._base))
            execute(*self._podman, "import", "--change", f"ENV {SEARCH_PATH}", str(self._base), "localhost/base")
            execute(*self._podman, "run", "--rm", *CONFINED, "localhost/base", "true")
        except (CommandFailed, subprocess.TimeoutExpired) as error:
            pytest.skip(f"the image is not tested: this machine cannot run containers: {error}")

    def build(self, target: str, speedups: str) -> None:
        """Build a target of the Dockerfile as users do, with wheels from a directory in place of an index."""
        self._download_wheels()
        offline = ("--build-arg=PIP_NO_INDEX=1", "--build-arg=PIP_FIND_LINKS=/wheels", f"--volume={self.wheels}:/wheels:ro")
        how = ("--isolation=chroot", "--network=host", "--pull-never", "--build-arg=BASE=localhost/base")
        form = f"--build-arg=GREENSERVE_SPEEDUPS={speedups}"
        execute(*self._buildah, "build", *how, *offline, form, "--target", target, "--tag", target, str(ROOT))

    @contextmanager
    def run(self, image: str, *environ: str) -> Iterator[subprocess.Popen[str]]:
        """Run the image, confined, until the block ends."""
        command = [*self._podman, "run", "--rm", *CONFINED, *(f"--env={one}" for one in environ), f"localhost/{image}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as container:
            try:
                yield container
            finally:
                container.kill() if container.poll() is None else None

    def user_of(self, image: str) -> str:
        return execute(*self._podman, "inspect", "--format", "{{.Config.User}}", f"localhost/{image}").strip()

    def _download_wheels(self) -> None:
        """Fetch what is installed in the image, for the Python that the base has."""
        if self.wheels.exists():
            return
        with tarfile.open(self._base) as base:
            version = base.getmember("./usr/bin/python3").linkname.removeprefix("python")
        platforms = [f"--platform={tag}_x86_64" for tag in ("manylinux2014", "manylinux_2_28")]
        wanted = [
            "setuptools>=77",
            "cython>=3.1",
            "gevent",
            "setproctitle",
            f"--requirement={ROOT}/examples/flask_board/requirements.txt",
        ]
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(self.wheels)]
        execute(*download, "--python-version", version, *platforms, *wanted)


def execute(*command: str) -> str:
    """Return what the command prints; CommandFailed, with what it complained of, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
