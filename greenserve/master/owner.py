"""Who is to own the files a server started by root leaves for its workers."""

import os
from contextlib import suppress

from greenserve.account import find_account
from greenserve.config import Config


def find_owner(config: Config) -> tuple[int, int]:
    """Return uid and gid as os.chown takes them: -1 leaves what is. Raises ConfigError if there is no such user or group."""
    if os.geteuid() != 0 or (config.user is None and config.group is None):
        return -1, -1
    account = find_account(config.user, config.group)
    return account.uid, account.gid


def make_log_files(config: Config) -> None:
    """Give workers logs that they can open anew when they are not root any more.

    Only a file that is made here changes hands: whoever may write to the
    directory could put a link to somebody else's file in its place.
    """
    for path in (config.accesslog, config.errorlog):
        if path and path != "-":
            make_file(path, *find_owner(config))


def make_file(path: str, uid: int, gid: int) -> None:
    """Leave a file that exists as it is, and it to whoever opens the file to say what is wrong with its path."""
    if (uid, gid) == (-1, -1):
        return
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        os.fchown(descriptor, uid, gid)
        os.close(descriptor)
