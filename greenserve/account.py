"""Who `user` and `group` are to the system; the one place where names become numbers."""

import grp
import os
import pwd
from typing import NamedTuple

from greenserve.errors import ConfigError


class Account(NamedTuple):
    uid: int
    gid: int
    #: By which other groups are found; None for a number without an entry, as is usual in containers.
    name: str | None


def find_account(user: int | str | None, group: int | str | None) -> Account:
    """Return the account; who is left out is who we are, and a user brings its own group. Raises ConfigError."""
    found = find_user(user)
    return found if group is None else found._replace(gid=find_group(group))


def find_user(user: int | str | None) -> Account:
    uid = os.geteuid() if user is None else user
    try:
        entry = pwd.getpwnam(uid) if isinstance(uid, str) else pwd.getpwuid(uid)
    except KeyError:
        if isinstance(uid, str):
            raise ConfigError(f"there is no user {uid!r} on this system") from None
        return Account(uid, os.getegid(), None)
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def find_group(group: int | str) -> int:
    if isinstance(group, int):
        return group
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(f"there is no group {group!r} on this system") from None
