"""Real `greenserve` processes for tests.

A server is started as users start it, with one difference: the test binds the
listening socket itself (port 0) and passes it as systemd would, so no port is
guessed. It is awaited by READY=1, the message it sends real supervisors.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGTERM, Signals
from types import TracebackType

import psutil

from tests.support.client import Address
from tests.support.transcript import ServerFault, Transcript

APPS = Path(__file__).parent / "apps"
ACTIVATE = Path(__file__).with_name("activate.py")
GREENSERVE = (sys.executable, "-m", "greenserve")

#: The plain server that stands in for it where the test support itself is tried.
STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))

#: What would change a server's configuration behind the test's back.
FOREIGN = re.compile(
    r"^(GREENSERVE_(?!SPEEDUPS)\w+|LISTEN_\w+|NOTIFY_SOCKET|PORT|WEB_CONCURRENCY|FORWARDED_ALLOW_IPS|SCRIPT_NAME)$"
)

#: Seconds; generous, because test machines are slow and a passing test never waits for it.
DEADLINE = 30.0


def make_environ(extra: Mapping[str, str]) -> dict[str, str]:
    """Return a clean environment; compiled files are not written, since their two-second memory would hide a reload."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **extra}


def run_greenserve(*arguments: str, cwd: Path = APPS, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command line that ends by itself, and return its code and what it printed."""
    return subprocess.run(
        [*GREENSERVE, *arguments],
        cwd=cwd,
        env=make_environ(env or {}),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def bind_socket(host: str = "127.0.0.1") -> socket.socket:
    """Return a listening socket on a port of the kernel's choice."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, 0))
    bound.listen(2048)
    return bound


class RunningServer:
    """One server, from its start to the last of its processes.

    With `sockets=()` nothing is handed over and the options say what to bind.
    """

    def __init__(
        self,
        *arguments: str,
        cwd: Path = APPS,
        env: Mapping[str, str] | None = None,
        sockets: Sequence[socket.socket] | None = None,
        command: Sequence[str] = GREENSERVE,
        timeout: float = DEADLINE,
    ) -> None:
        self.timeout = timeout
        #: Whether the test itself waited for the end, and so knows the exit code.
        self._end_seen = False
        self._room = tempfile.TemporaryDirectory(prefix="greenserve-")
        sockets = [bind_socket()] if sockets is None else sockets
        self.addresses: list[Address] = [bound.getsockname() for bound in sockets]
        self._process = self._start([*command, *arguments], cwd, env or {}, sockets)
        self._await_start()

    # Where it is, and who it is.

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def address(self) -> Address:
        return self.addresses[0]

    @property
    def url(self) -> str:
        host, port = self.address[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def log(self) -> str:
        return self._transcript.text

    @property
    def notifications(self) -> list[dict[str, str]]:
        """What a service manager was told so far."""
        return list(self._transcript.notifications)

    def workers(self) -> list[int]:
        """Return the pids of the master's living children."""
        children = psutil.Process(self.pid).children()
        return sorted(child.pid for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE)

    def connections_of(self, worker: int) -> set[int]:
        """Return the ports of the clients whose connections that process has accepted, and holds."""
        return {open.raddr.port for open in psutil.Process(worker).net_connections("tcp") if open.raddr}

    # What a test does to it.

    def signal(self, number: Signals) -> None:
        self._process.send_signal(number)

    def wait_for_log(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Return the match number *times* of *pattern* (multi-line) in the log, waiting until it is there."""
        return self._transcript.wait_for_log(pattern, times, self.timeout)

    def wait_for_notification(self, name: str, timeout: float | None = None) -> str:
        """Return the value of the first notification *name*, waiting until it has come."""

        def find() -> str | None:
            return next((said[name] for said in self._transcript.notifications if name in said), None)

        return self._transcript.wait_for(find, f"notification {name}", timeout or self.timeout)

    def has_notified(self, name: str, within: float) -> bool:
        """Return whether notification *name* has come, waiting for it up to *within* seconds."""
        try:
            return bool(self.wait_for_notification(name, within))
        except ServerFault:
            return False

    def wait_for_status(self, pattern: str) -> None:
        """Return when a STATUS that matches *pattern* was notified."""

        def find() -> bool:
            return any(re.search(pattern, said.get("STATUS", "")) for said in self._transcript.notifications)

        self._transcript.wait_for(find, f"STATUS {pattern!r}", self.timeout)

    def wait_for_generation(self, generation: int) -> None:
        """Return when every wanted worker of *generation* is ready."""

        def find() -> bool:
            ready = [said.get("STATUS", "") for said in self._transcript.notifications if said.get("READY") == "1"]
            return any(re.search(rf"^generation {generation}: .*ready", status) for status in ready)

        self._transcript.wait_for(find, f"READY=1 of generation {generation}", self.timeout)

    def stop(self, number: Signals = SIGTERM) -> int:
        """Send the signal, wait for the master's end, and return its exit code."""
        self.signal(number)
        return self.wait()

    def freeze_worker(self, worker: int) -> set[int]:
        """Stop that process where it is, and return `connections_of` it: before it dies it can accept no other."""
        process = psutil.Process(worker)
        process.suspend()
        while process.status() != psutil.STATUS_STOPPED:
            os.sched_yield()
        return self.connections_of(worker)

    def kill(self) -> None:
        """End all of its processes at once, as when the host is gone, and return when they are."""
        self._end_seen = True
        self.discard()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        """Return the master's exit code, waiting for it."""
        self._end_seen = True
        try:
            return self._process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise ServerFault(f"pid {self.pid} has not ended in {self.timeout} s\n{self._transcript.describe()}") from None

    # Its end.

    def wait_for_end(self) -> None:
        """Return when no process of the server is left and its ports are free; ServerFault if that does not come."""
        if not self._transcript.wait_for_end(self.timeout):
            raise ServerFault(f"processes were left behind: {self._survivors()}\n{self._transcript.describe()}")
        for address in self.addresses:
            assert_free(address)

    def __enter__(self) -> "RunningServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            code = self._end()
            self.wait_for_end()
        finally:
            self.discard()
        assert code == 0, f"ended with exit code {code}\n{self._transcript.describe()}"

    def _end(self) -> int:
        """Return the exit code, or 0 if the test has seen it itself."""
        if self._end_seen:
            return 0
        return self._process.returncode if self._process.poll() is not None else self.stop()

    def discard(self) -> None:
        """Leave nothing behind, whatever state it is in, and show the log to whom it may concern."""
        for survivor in self._survivors():
            survivor.kill()
        self._process.wait()
        self._transcript.wait_for_end(self.timeout)
        self._room.cleanup()
        print(self._transcript.describe())

    # How it starts.

    def _start(
        self, command: list[str], cwd: Path, env: Mapping[str, str], sockets: Sequence[socket.socket]
    ) -> subprocess.Popen[bytes]:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(f"{self._room.name}/notify")
        log, speak = os.pipe()
        descriptors = [bound.fileno() for bound in sockets]
        process = subprocess.Popen(
            [sys.executable, "-IS", str(ACTIVATE), ",".join(map(str, descriptors)), "--", *command],
            cwd=cwd,
            env=make_environ({"NOTIFY_SOCKET": notify.getsockname(), **env}),
            stdin=subprocess.DEVNULL,
            stdout=speak,
            stderr=speak,
            pass_fds=descriptors,
            start_new_session=True,
        )
        os.close(speak)
        for bound in sockets:
            bound.close()
        self._transcript = Transcript(log, notify, Path(self._room.name) / "log")
        return process

    def _await_start(self) -> None:
        try:
            self.wait_for_notification("READY")
        except ServerFault:
            self.discard()
            raise

    def _survivors(self) -> list[psutil.Process]:
        """Return what still runs in the session that the server was started in."""
        return [process for process in psutil.process_iter() if session_of(process.pid) == self.pid]


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def assert_free(address: Address) -> None:
    """Raise unless *address* can be bound again; a unix socket's file must be gone."""
    if isinstance(address, str):
        assert not Path(address).exists(), f"{address} was left behind"
        return
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address[:2])
        probe.listen()
