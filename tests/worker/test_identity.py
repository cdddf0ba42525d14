"""Giving up root for good; each case in a process of its own, since there is no way back."""

import os
import subprocess
import sys

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

SCRIPT = """
import os
from greenserve.worker.identity import assume_identity
{before}
assume_identity({user!r}, {group!r}, 0o027)
print(os.getresuid(), os.getresgid(), sorted(os.getgroups()), oct(os.umask(0)))
"""


def become(user, group, before=""):
    script = SCRIPT.format(user=user, group=group, before=before)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.security("drop groups with `initgroups` before `setuid`, verify")
@needs_root
def test_user_by_name_brings_its_own_group_and_no_other():
    done = become("nobody", None)

    assert "(65534, 65534, 65534) (65534, 65534, 65534) [65534] 0o27\n" == done.stdout


@needs_root
def test_number_without_an_entry_is_taken_as_it_is():
    done = become(12345, 23456)

    assert "(12345, 12345, 12345) (23456, 23456, 23456) [23456] 0o27\n" == done.stdout


@needs_root
def test_group_alone_is_enough():
    assert become(None, 23456).stdout.startswith("(0, 0, 0) (23456, 23456, 23456)")


def test_only_root_can():
    done = become(12345, 23456, before="if os.geteuid() == 0: os.setresuid(65534, 65534, 65534)")

    assert "only root can run workers as another user or group (12345:23456)" in done.stderr


def test_unknown_name_is_refused():
    assert "there is no user 'nosuchuser'" in become("nosuchuser", None).stderr
    assert "there is no group 'nosuchgroup'" in become(None, "nosuchgroup").stderr
