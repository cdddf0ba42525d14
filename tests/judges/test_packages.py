"""A package goes to pypiserver with twine and comes back with pip."""

import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from zipfile import ZipFile

import pytest

from tests.judges.conftest import require, run

require("pypiserver", "twine")

#: No configuration of the person who runs the tests has a say.
NOBODY = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

METADATA = b"Metadata-Version: 2.1\nName: judged\nVersion: 1.0\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(scope="module")
def pypiserver(serve, tmp_path_factory):
    packages = tmp_path_factory.mktemp("packages")
    return serve(f"pypiserver:app(roots=['{packages}'], password_file='.', authenticate=[])").url


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel with a module that is large enough to be sent in many pieces."""
    path = tmp_path_factory.mktemp("wheel") / "judged-1.0-py3-none-any.whl"
    files = {
        "judged.py": b"VALUE = 42\n" + b"# padding\n" * 200_000,
        "judged-1.0.dist-info/METADATA": METADATA,
        "judged-1.0.dist-info/WHEEL": WHEEL,
    }
    with ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("judged-1.0.dist-info/RECORD", make_record(files))
    return path


def make_record(files):
    lines = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items()]
    return "\n".join([*lines, "judged-1.0.dist-info/RECORD,,", ""])


def digest(content):
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def uploaded(pypiserver, wheel):
    login = ("--username", "ann", "--password", "secret", "--non-interactive")
    run(sys.executable, "-m", "twine", "upload", *login, "--repository-url", pypiserver, str(wheel))
    return pypiserver


def test_package_comes_back_to_the_byte(uploaded, wheel, tmp_path):
    run(
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--index-url",
        f"{uploaded}/simple/",
        "judged",
        cwd=tmp_path,
        env=NOBODY,
    )

    assert wheel.read_bytes() == (tmp_path / wheel.name).read_bytes()


def test_package_is_installed(uploaded, tmp_path):
    arguments = ("--no-deps", "--no-cache-dir", "--target", str(tmp_path), "--index-url", f"{uploaded}/simple/", "judged")

    run(sys.executable, "-m", "pip", "install", *arguments, env=NOBODY)

    assert (tmp_path / "judged.py").read_text().startswith("VALUE = 42")
