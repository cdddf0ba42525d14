"""Who a worker is to the system: the user and group it gives itself up to, and its umask."""

import os

from greenserve.account import Account, find_account
from greenserve.errors import WorkerBootError


def assume_identity(user: int | str | None, group: int | str | None, umask: int | None) -> None:
    """Become *user* and *group* for good, and leave every other group.

    Raises ConfigError if there is no such user or group, and WorkerBootError if
    we cannot be them, or it did not hold.
    """
    if umask is not None:
        os.umask(umask)
    if user is None and group is None:
        return
    account = find_account(user, group)
    if (account.uid, account.gid) == (os.geteuid(), os.getegid()):
        return
    if os.geteuid() != 0:
        asked = f"{account.uid}:{account.gid}"
        raise WorkerBootError(f"only root can run workers as another user or group ({asked}); this is user {os.geteuid()}")
    leave_root(account)


def leave_root(account: Account) -> None:
    """Groups first: without root we could not change them any more."""
    uid, gid, name = account
    if name is None:
        os.setgroups([gid])
    else:
        os.initgroups(name, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (gid,) * 3:
        raise WorkerBootError(f"the system did not let this process become user {uid}, group {gid}")
