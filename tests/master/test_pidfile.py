import os
import subprocess
import sys

import pytest

from greenserve.errors import ConfigError
from greenserve.master.pidfile import Pidfile

#: Above the largest pid a kernel gives.
NOBODY = 2**22 + 1


@pytest.fixture
def path(tmp_path):
    return tmp_path / "greenserve.pid"


def test_it_names_this_process_until_it_is_removed(path):
    pidfile = Pidfile(str(path))

    pidfile.write()
    assert f"{os.getpid()}\n" == path.read_text()

    pidfile.remove()
    assert [] == os.listdir(path.parent)


def test_a_living_server_keeps_its_file(path):
    path.write_text(f"{os.getppid()}\n")

    with pytest.raises(ConfigError, match=f"names pid {os.getppid()}, which is alive"):
        Pidfile(str(path)).write()

    assert f"{os.getppid()}\n" == path.read_text()


@pytest.mark.parametrize("content", [f"{NOBODY}\n", "", "not a number", "-1", "0", "9" * 40, f"{os.getpid()}"])
def test_a_stale_file_is_replaced(path, content):
    path.write_text(content)

    Pidfile(str(path)).write()

    assert f"{os.getpid()}\n" == path.read_text()


def test_a_process_born_after_the_file_did_not_write_it(path):
    """After a restart of a container the old number is soon somebody else's."""
    path.write_text(f"{os.getppid()}\n")
    os.utime(path, (1, 1))

    Pidfile(str(path)).write()

    assert f"{os.getpid()}\n" == path.read_text()


def test_who_has_taken_the_file_over_keeps_it(path):
    pidfile = Pidfile(str(path))
    pidfile.write()
    path.write_text(f"{os.getppid()}\n")

    pidfile.remove()

    assert path.exists()


def test_a_file_that_cannot_be_written_is_refused_and_leaves_no_draft(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    with pytest.raises(ConfigError, match="cannot be written: Is a directory"):
        Pidfile(str(folder)).write()

    assert ["folder"] == os.listdir(tmp_path)


def test_a_child_that_ends_does_not_remove_it(path):
    pidfile = Pidfile(str(path))
    pidfile.write()

    code = "import sys; from greenserve.master.pidfile import Pidfile; Pidfile(sys.argv[1]).remove()"
    subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )

    assert path.exists()
