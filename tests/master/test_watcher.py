import importlib.util
import os
import select

import pytest

from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.mailbox import Command, open_mailboxes
from greenserve.master.signals import fork, let_signals_in
from greenserve.master.watcher import find_roots, is_source, require_watchfiles, watch


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/app/shop.py", True),
        ("/srv/app/pkg/deep/models.py", True),
        ("/srv/app/shop.pyc", False),
        ("/srv/app/notes.txt", False),
        ("/srv/app/.venv/lib/flask.py", False),
        ("/srv/app/node_modules/gyp.py", False),
        ("/srv/app/__pycache__/shop.py", False),
        ("/srv/app/templates/page.html", True),
    ],
)
def test_a_change_of_a_source_or_an_extra_file_counts(path, expected):
    assert expected == is_source(path, ["/srv/app"], {"/srv/app/templates/page.html"})


def test_an_application_inside_a_folder_of_a_foreign_name_is_still_watched():
    assert is_source("/home/venv/app/shop.py", ["/home/venv/app"], ())


def test_the_folders_of_the_application_and_of_the_extra_files_are_watched(tmp_path):
    for name in ("app", "lib", "templates"):
        (tmp_path / name).mkdir()
    config = Config(
        chdir=str(tmp_path / "app"),
        pythonpath=(str(tmp_path / "lib"), str(tmp_path / "absent")),
        reload_extra_files=(str(tmp_path / "templates" / "page.html"),),
    )

    assert [str(tmp_path / name) for name in ("app", "lib", "templates")] == find_roots(config)


def test_without_watchfiles_the_refusal_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"pip install 'greenserve\[reload\]'"):
        require_watchfiles()


@pytest.fixture
def watcher(tmp_path):
    """A watching process, and the master's end of its mailbox."""
    pytest.importorskip("watchfiles")
    ours, theirs = open_mailboxes()
    pid = fork()
    if pid == 0:
        ours.close()
        let_signals_in()
        os._exit(watch(Config(chdir=str(tmp_path)), theirs))
    theirs.close()
    yield ours, pid
    ours.close()
    _, status = os.waitpid(pid, 0)
    assert 0 == os.waitstatus_to_exitcode(status), "it ends when the master is gone"


def test_a_changed_source_asks_for_a_reload_and_the_end_of_the_master_ends_it(watcher, tmp_path):
    ours, _ = watcher

    # It does not say when it has begun to watch, so the source changes until it notices.
    for change in range(400):
        (tmp_path / "shop.py").write_text(f"change = {change}\n")
        if select.select([ours], [], [], 0.05)[0]:
            break

    assert Command("reload") == ours.receive()[0]
