"""What configuration files may not leave behind in the process that reads them."""

import ssl
import sys

import pytest

from greenserve.barrier import barrier
from greenserve.sources import load_config


@pytest.fixture
def without_gevent(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "gevent"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install modules, and forget them after the test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    names = []

    def install(name, text):
        names.append(name)
        (site / f"{name}.py").write_text(text)

    yield install
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("without_gevent")
@pytest.mark.parametrize(
    "statements",
    [
        "from gevent import monkey\nmonkey.patch_all()",
        "import gevent.monkey\ngevent.monkey.patch_all(thread=False)",
        "from gevent.monkey import patch_all, patch_socket\npatch_all()",
    ],
)
def test_a_file_that_patches_is_taken_and_patches_nothing(tmp_path, statements):
    (tmp_path / "gunicorn.conf.py").write_text(f"{statements}\nworkers = 3")

    loaded = load_config(["-c", "gunicorn.conf.py", "app:app"], {}, tmp_path)

    assert 3 == loaded.config.workers
    assert not [name for name in sys.modules if name.partition(".")[0] == "gevent"]


def test_a_module_that_holds_on_to_ssl_is_forgotten(installed, tmp_path):
    installed("holder", "from ssl import SSLContext")
    installed("uses_holder", "from holder import SSLContext as Context\nimport holder")
    installed("uses_user", "import uses_holder")
    installed("bystander", "import ssl")

    with barrier(tmp_path / "project"):
        import bystander  # noqa: F401
        import uses_user  # noqa: F401

    assert {"bystander"} == {"holder", "uses_holder", "uses_user", "bystander"} & set(sys.modules)
    assert sys.modules["ssl"] is ssl


def test_the_projects_own_modules_are_forgotten(tmp_path):
    (tmp_path / "own.py").write_text("")

    with barrier(tmp_path):
        import own  # noqa: F401

    assert "own" not in sys.modules
    assert str(tmp_path) not in sys.path
