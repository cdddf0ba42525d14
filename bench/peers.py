"""Who is compared: how each server is installed and started, and what it is able to do.

Each is given what its own documentation advises for speed, one process and one
hub or thread pool, and no log unless the log is what is measured. Where they
have to differ, such as in how many threads wait, the number stands here.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

HERE = Path(__file__).parent
APPS = HERE / "apps"
LAUNCHER = HERE / "launchers" / "serve.py"

HOST = "127.0.0.1"

#: Enough for the largest crowd and those who measure it.
CONNECTIONS = 12_000
BACKLOG = 2048

#: Seconds; an idle crowd is looked at after a while, and must still be there.
PERSISTENCE = 75

#: Threads of the servers that wait in threads, and where slow readers keep a hundred of them busy.
THREADS = 64
MANY_THREADS = 128


class Ability(Enum):
    """What not every server does."""

    #: Answers others while one request waits.
    WAITING = auto()
    #: Keeps a connection for the next request.
    PERSISTENCE = auto()
    TLS = auto()
    ACCESS_LOG = auto()
    #: Several processes on one port.
    WORKERS = auto()


class Certificate(NamedTuple):
    certfile: str
    keyfile: str


class Task(NamedTuple):
    """What a server is to do in one run."""

    #: The module of bench/apps whose `app` it serves.
    module: str
    port: int
    workers: int = 1
    #: Where to write a line for each request.
    access_log: str = ""
    certificate: Certificate | None = None
    #: Whether each connection is for one request.
    closing: bool = False
    #: Of the servers that wait in threads.
    threads: int = THREADS

    @property
    def target(self) -> str:
        return f"{self.module}:app"

    @property
    def waits(self) -> bool:
        """Whether the application waits, so that threads pay."""
        return self.module in ("sleep", "flask_database")

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"


class Tools(NamedTuple):
    """Where the programs are: those of the environment, and the compiled floor."""

    bin: Path
    floor: Path

    def find(self, name: str) -> str:
        return str(self.bin / name)


Command = list[str]
EVERYTHING = frozenset(Ability)


class Peer(NamedTuple):
    name: str
    #: What runs it for a task.
    command: Callable[[Tools, Task], Command]
    abilities: frozenset[Ability]
    #: What pip installs, the first of it the server itself.
    packages: tuple[str, ...] = ()
    environ: Mapping[str, str] = MappingProxyType({})
    #: Whether it is compared against, and not merely shown.
    rival: bool = True


def greenserve(tools: Tools, task: Task) -> Command:
    command = [tools.find("greenserve"), "--workers", str(task.workers), "--bind", task.address]
    command += ["--worker-connections", str(CONNECTIONS), "--keep-alive", str(PERSISTENCE), "--log-level", "warning"]
    if task.access_log:
        command += ["--access-logfile", task.access_log]
    if task.certificate:
        command += ["--certfile", task.certificate.certfile, "--keyfile", task.certificate.keyfile]
    return [*command, task.target]


def gunicorn(tools: Tools, task: Task, *kind: str) -> Command:
    command = [tools.find("gunicorn"), *kind, "--workers", str(task.workers), "--bind", task.address, "--no-control-socket"]
    command += ["--worker-connections", str(CONNECTIONS), "--keep-alive", str(PERSISTENCE), "--log-level", "warning"]
    if task.access_log:
        command += ["--access-logfile", task.access_log]
    if task.certificate:
        command += ["--certfile", task.certificate.certfile, "--keyfile", task.certificate.keyfile]
    return [*command, task.target]


def gunicorn_gevent(tools: Tools, task: Task) -> Command:
    return gunicorn(tools, task, "--worker-class", "gevent")


def gunicorn_gthread(tools: Tools, task: Task) -> Command:
    return gunicorn(tools, task, "--worker-class", "gthread", "--threads", str(task.threads))


def granian(tools: Tools, task: Task) -> Command:
    command = [tools.find("granian"), "--interface", "wsgi", "--workers", str(task.workers), "--host", HOST]
    command += ["--port", str(task.port), "--http", "1", "--no-ws", "--backlog", str(BACKLOG)]
    command += ["--backpressure", str(CONNECTIONS), "--log-level", "warning"]
    # Left to itself it has as many threads as requests, and they get in each other's way.
    command += ["--blocking-threads", str(task.threads if task.waits else 1)]
    if task.access_log:
        command += ["--access-log", "--log-level", "info"]
    if task.certificate:
        command += ["--ssl-certificate", task.certificate.certfile, "--ssl-keyfile", task.certificate.keyfile]
    return [*command, task.target]


def uwsgi_gevent(tools: Tools, task: Task) -> Command:
    command = [tools.find("uwsgi"), "--http-socket", task.address, "--master", "--die-on-term", "--need-app"]
    command += ["--processes", str(task.workers), "--listen", "1024", "--pythonpath", str(APPS), "--module", task.target]
    command += ["--gevent", "2000", "--gevent-early-monkey-patch", "--lazy-apps"]
    # It closes after each answer, and does not say so.
    command += ["--add-header", "Connection: close"]
    return command + (["--req-logger", f"file:{task.access_log}"] if task.access_log else ["--disable-logging"])


def launched(name: str) -> Callable[[Tools, Task], Command]:
    """Return the command of a server that is started from Python; what else it has to know is in the environment."""

    def command(tools: Tools, task: Task) -> Command:
        start = [tools.find("python"), str(LAUNCHER), name, task.module, str(task.port), str(task.workers)]
        return [*start, *(task.certificate or ())]

    return command


def floor(tools: Tools, task: Task) -> Command:
    return [str(tools.floor), str(task.port), *(["close"] if task.closing else [])]


WAITING, PERSISTENT, TLS, ACCESS_LOG, WORKERS = Ability
ONE_AT_A_TIME = frozenset({PERSISTENT, WORKERS})

#: Ours in both forms. Where compiled code is missing the first does not start, instead of being measured as the second.
COMPILED = Peer("greenserve", greenserve, EVERYTHING, environ={"GREENSERVE_SPEEDUPS": "1"}, rival=False)
PLAIN = Peer("greenserve (plain Python)", greenserve, EVERYTHING, environ={"GREENSERVE_SPEEDUPS": "0"}, rival=False)

GEVENT = Peer("gunicorn gevent", gunicorn_gevent, EVERYTHING, ("gunicorn", "gevent"))
GTHREAD = Peer("gunicorn gthread", gunicorn_gthread, EVERYTHING, ("gunicorn",))
GRANIAN = Peer("granian", granian, EVERYTHING, ("granian",))
BJOERN = Peer("bjoern", launched("bjoern"), ONE_AT_A_TIME, ("bjoern",))
# It imports pkg_resources, which newer setuptools no longer has.
FASTWSGI = Peer("fastwsgi", launched("fastwsgi"), ONE_AT_A_TIME, ("fastwsgi", "setuptools < 81"))
FASTPYSGI = Peer("fastpysgi", launched("fastpysgi"), ONE_AT_A_TIME, ("fastpysgi",))
UWSGI = Peer("uWSGI gevent", uwsgi_gevent, frozenset({WAITING, ACCESS_LOG, WORKERS}), ("uwsgi", "gevent"))
WAITRESS = Peer("waitress", launched("waitress"), frozenset({WAITING, PERSISTENT}), ("waitress",))
PYWSGI = Peer("gevent.pywsgi", launched("pywsgi"), frozenset({WAITING, PERSISTENT, TLS, ACCESS_LOG}), ("gevent",))

#: No server: it serves the scenarios that say so.
FLOOR = Peer("C epoll floor", floor, frozenset({PERSISTENT}), rival=False)

PEERS = (COMPILED, PLAIN, GEVENT, GTHREAD, GRANIAN, BJOERN, FASTWSGI, FASTPYSGI, UWSGI, WAITRESS, PYWSGI, FLOOR)
