"""How the server looks from the system it runs on."""

import dataclasses

from greenserve.kinds import Account, File, Maybe, Permissions, Several, Switch, Text
from greenserve.setting import DEVELOPMENT, PROCESS, setting


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ProcessSettings:
    daemon: bool = setting(
        Switch(),
        default=False,
        flags="-D --daemon",
        group=PROCESS,
        help=(
            "Leave the terminal: the command ends when the server serves, or with its exit code if it cannot. Logs need "
            "files then, for stdout and stderr go nowhere. Under systemd and in containers stay in the foreground."
        ),
    )
    pidfile: str | None = setting(
        Maybe(File()),
        default=None,
        flags="-p --pid",
        group=PROCESS,
        help="A file that holds the pid of the master while it runs.",
    )
    umask: int | None = setting(
        Maybe(Permissions("mask", "0o022")),
        default=None,
        flags="-m --umask",
        group=PROCESS,
        help=(
            "The mask for files and sockets that are created, in octal; none keeps that of the caller. gunicorn's "
            "default, 0, would let every user write them."
        ),
    )
    user: int | str | None = setting(
        Maybe(Account("user")),
        default=None,
        flags="-u --user",
        group=PROCESS,
        help="Who the workers run as, by name or number, when the server is started by root.",
    )
    group: int | str | None = setting(
        Maybe(Account("group")),
        default=None,
        flags="-g --group",
        group=PROCESS,
        help="The group the workers run as, by name or number, when the server is started by root.",
    )
    proc_name: str | None = setting(
        Maybe(Text("a name", "NAME")),
        default=None,
        flags="-n --name",
        group=PROCESS,
        help="What ps calls the processes; none is the name of the application.",
    )
    reload: bool = setting(
        Switch(),
        default=False,
        flags="--reload",
        group=DEVELOPMENT,
        help=(
            "Reload when a source file changes, and show in the browser why an application cannot be loaded. For "
            "development only. Needs watchfiles: pip install 'greenserve[reload]'."
        ),
    )
    reload_extra_files: tuple[str, ...] = setting(
        Several(File()),
        default=(),
        flags="--reload-extra-file",
        group=DEVELOPMENT,
        help="Another file to reload for, such as a template; may be repeated.",
    )
