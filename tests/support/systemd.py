"""A real systemd, with units of the test's own and none of the machine's.

It is process 1 of its own namespaces, so it takes root to start it, and it
goes, with all that it has started, when the block ends or this process dies.
"""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

BOOT = Path(__file__).with_name("boot_systemd.sh")
ROOT = Path(__file__).parents[2]
PLACES = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")

#: What units wait for that need nothing, by the names of systemd's own.
TARGETS = ("basic", "sysinit", "sockets", "shutdown", "multi-user")

#: Seconds.
DEADLINE = 60.0


class Systemd:
    def __init__(self, pid: int, log: Path) -> None:
        #: Of process 1 in there, as it is called out here.
        self._pid = pid
        self.log = log

    def control(self, *words: str, fails: bool = False) -> str:
        """Run systemctl with these words, and return what it printed; *fails* if it shall."""
        command = ["nsenter", "-t", str(self._pid), "-m", "-p", "systemctl", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert fails == (done.returncode != 0), f"{words}: {done.stderr}\n{self.log.read_text()[-5000:]}"
        return done.stdout.strip()

    def show(self, unit: str, name: str) -> str:
        return self.control("show", unit, f"--property={name}", "--value")

    def wait_for(self, unit: str, name: str, pattern: str) -> str:
        """Return the property once it matches. systemd tells of changes over D-Bus alone, so it is asked again and again."""
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, value := self.show(unit, name)):
            assert time.monotonic() < end, f"{name} of {unit} is {value!r}, and not {pattern!r}\n{self.log.read_text()[-5000:]}"
        return value


@contextmanager
def running_systemd(folder: Path, units: dict[str, str], account: str) -> Iterator[Systemd]:
    """Run one with these units, by name. *folder* has in `srv` what is to be /srv; *account* is one more line of /etc/passwd."""
    program = find_systemd()
    for target in TARGETS:
        write(folder / "units" / f"{target}.target", "[Unit]\nDefaultDependencies=no\n")
    for name, text in units.items():
        write(folder / "units" / name, text)
    write(folder / "passwd", Path("/etc/passwd").read_text() + account)
    with own_group() as group, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(folder / "log", "wb") as log:
        notify.bind(str(folder / "notify"))
        notify.settimeout(0.5)
        environ = {
            "SYSTEMD": program,
            "UNITS": str(folder / "units"),
            "SRV": str(folder / "srv"),
            "PASSWD": str(folder / "passwd"),
            "NOTIFY_SOCKET": str(folder / "notify"),
            "GROUP": str(group),
            "PATH": os.environ["PATH"],
        }
        unshare = "unshare --mount --pid --ipc --uts --cgroup --fork --kill-child"
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "sh", "-c", f'echo $$ > "$GROUP/cgroup.procs"; exec {unshare} sh {BOOT}'],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            await_ready(process, notify, folder / "log")
            (first,) = psutil.Process(process.pid).children()
            yield Systemd(first.pid, folder / "log")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(DEADLINE)


def find_systemd() -> str:
    if os.geteuid() != 0:
        pytest.skip("only root may make the namespaces that systemd is process 1 of")
    for program in ("systemctl", "unshare", "nsenter", "setpriv"):
        shutil.which(program) or pytest.skip(f"{program} is not installed (apt install systemd util-linux)")
    return next((place for place in PLACES if os.path.exists(place)), "") or pytest.skip("systemd is not installed")


@contextmanager
def own_group() -> Iterator[Path]:
    """A control group that systemd may have for itself."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    places = [fields[1] for fields in mounts if fields[2] == "cgroup2"]
    if not places:
        pytest.skip("there is no hierarchy of control groups of version 2")
    group = Path(places[0], f"greenserve-test-{os.getpid()}")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield group
    finally:
        end_group(group)


def end_group(group: Path) -> None:
    """Remove it, when its last process is gone."""
    kill = group / "cgroup.kill"
    if kill.exists():
        kill.write_text("1")
    while "populated 1" in (group / "cgroup.events").read_text():
        os.sched_yield()
    for folder, _, _ in os.walk(group, topdown=False):
        os.rmdir(folder)


def await_ready(process: subprocess.Popen[bytes], notify: socket.socket, log: Path) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        with suppress(TimeoutError):
            if b"READY=1" in notify.recv(65536):
                return
    pytest.skip(f"systemd does not come up here: {log.read_text()[-2000:]}")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def show_interpreter() -> list[str]:
    """Return lines for a service that let anybody run this interpreter, with its packages, though it may be in /root or /tmp."""
    paths = {Path(path) for path in (sys.prefix, sys.base_prefix, ROOT)}
    closed = {folder for path in paths for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH}
    return [
        *(f"TemporaryFileSystem={folder}:mode=0755" for folder in sorted(closed)),
        *(f"BindReadOnlyPaths={path}" for path in sorted(paths)),
    ]
