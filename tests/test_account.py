"""Names of users and groups become numbers, by the entries of this system."""

import os
import pwd

import pytest

from greenserve.account import Account, find_account
from greenserve.errors import ConfigError


def test_user_by_name_brings_its_own_group():
    entry = pwd.getpwnam("nobody")

    assert Account(entry.pw_uid, entry.pw_gid, "nobody") == find_account("nobody", None)


def test_group_is_taken_in_place_of_the_users_own():
    assert 23456 == find_account("nobody", 23456).gid


def test_number_without_an_entry_is_taken_as_it_is():
    assert Account(54321, os.getegid(), None) == find_account(54321, None)


def test_who_is_left_out_is_who_we_are():
    assert (os.geteuid(), 23456) == find_account(None, 23456)[:2]


@pytest.mark.parametrize(("user", "group", "missing"), [("nosuch", None, "user 'nosuch'"), (None, "nosuch", "group 'nosuch'")])
def test_name_that_is_not_there_is_said(user, group, missing):
    with pytest.raises(ConfigError, match=f"there is no {missing} on this system"):
        find_account(user, group)
