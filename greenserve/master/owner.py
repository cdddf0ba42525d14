"""Who is to own the files a server started by root leaves for its workers."""

import grp
import os
import pwd

from greenserve.config import Config


def find_owner(config: Config) -> tuple[int, int]:
    """Return uid and gid as os.chown takes them: -1 leaves what is."""
    if os.geteuid() != 0:
        return -1, -1
    return find_uid(config.user), find_gid(config.group)


def find_uid(user: int | str | None) -> int:
    if user is None:
        return -1
    return user if isinstance(user, int) else pwd.getpwnam(user).pw_uid


def find_gid(group: int | str | None) -> int:
    if group is None:
        return -1
    return group if isinstance(group, int) else grp.getgrnam(group).gr_gid
