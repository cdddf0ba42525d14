"""Who a worker is to the system: the user and group it gives itself up to, and its umask."""

import grp
import os
import pwd

from greenserve.errors import WorkerBootError


def assume_identity(user: int | str | None, group: int | str | None, umask: int | None) -> None:
    """Become *user* and *group* for good, and leave every other group.

    Raises WorkerBootError if that cannot be, or did not hold.
    """
    if umask is not None:
        os.umask(umask)
    if user is None and group is None:
        return
    uid, name, own_group = find_user(user)
    gid = own_group if group is None else find_group(group)
    if (uid, gid) == (os.geteuid(), os.getegid()):
        return
    if os.geteuid() != 0:
        raise WorkerBootError(f"only root can run workers as another user or group ({uid}:{gid}); this is user {os.geteuid()}")
    leave_root(uid, gid, name)


def find_user(user: int | str | None) -> tuple[int, str | None, int]:
    """Return the user's id, name if it has one, and own group."""
    try:
        entry = pwd.getpwnam(user) if isinstance(user, str) else pwd.getpwuid(os.geteuid() if user is None else user)
    except KeyError:
        if isinstance(user, str):
            raise WorkerBootError(f"there is no user {user!r} on this system") from None
        # A number without an entry is usual in containers.
        return (os.geteuid() if user is None else user), None, os.getegid()
    return entry.pw_uid, entry.pw_name, entry.pw_gid


def find_group(group: int | str) -> int:
    if isinstance(group, int):
        return group
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise WorkerBootError(f"there is no group {group!r} on this system") from None


def leave_root(uid: int, gid: int, name: str | None) -> None:
    """Groups first: without root we could not change them any more."""
    if name is None:
        os.setgroups([gid])
    else:
        os.initgroups(name, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (gid,) * 3:
        raise WorkerBootError(f"the system did not let this process become user {uid}, group {gid}")
