"""What hooks are given: the server, a worker, a request and its response, as gunicorn's look.

These are not the server's own objects but stand for them, so that a hook which
keeps or changes one does no harm. They take any further attribute: hooks hand
each other what they like on them, and a forked worker has what the master's had.
"""

import logging
import os
from collections.abc import Callable
from functools import cached_property
from typing import Any

from greenserve.kinds import Address

Fields = list[tuple[str, str]]


class HookServer:
    """The master: gunicorn's Arbiter."""

    def __init__(self, cfg: Any) -> None:
        self.cfg = cfg
        self.log = logging.getLogger("greenserve.error")
        self.pid = os.getpid()
        self.num_workers: int = cfg.resolved_workers
        #: The living workers by pid; in a worker, those that lived when it was forked.
        self.WORKERS: dict[int, HookWorker] = {}
        #: The listening sockets.
        self.LISTENERS: list[Any] = []

    @property
    def address(self) -> list[Any]:
        """Where it is configured to listen."""
        addresses: tuple[Address, ...] = self.cfg.bind
        return [(address.host, address.port) if address.kind == "tcp" else str(address) for address in addresses]

    @property
    def proc_name(self) -> str:
        name: str = self.cfg.proc_name or self.cfg.wsgi_app
        return name


class HookWorker:
    """A worker. The master has one for each, and each worker has its own."""

    def __init__(self, server: HookServer, number: int, cfg: Any) -> None:
        self.server = server
        self.age = number
        self.pid = 0
        self.ppid = server.pid
        self.cfg = cfg
        self.log = server.log
        self.timeout = cfg.timeout
        self.sockets = server.LISTENERS
        self.booted = False
        #: The application; what a post_worker_init hook puts in its place is served.
        self.wsgi: Any = None
        self._alive = True
        self._row: Any = {"requests": 0}
        self._retire: Callable[[str], object] | None = None

    def enter(self, row: Any, retire: Callable[[str], object]) -> None:
        """Stand for the process that this is from now on. *row* counts its requests; *retire* asks for its end."""
        self.pid = os.getpid()
        self._row = row
        self._retire = retire

    def leave(self) -> None:
        """It is dead."""
        self._alive = False

    @property
    def nr(self) -> int:
        """How many requests it has answered."""
        count: int = self._row["requests"]
        return count

    @property
    def alive(self) -> bool:
        return self._alive

    @alive.setter
    def alive(self, alive: bool) -> None:
        """False, in the worker, asks it to leave: it finishes what it has, and not before another is ready."""
        if self._alive and not alive and self._retire is not None:
            self._retire("a hook has set worker.alive to False")
        self._alive = alive

    def notify(self) -> None:
        """Nothing is needed: the hub itself gives signs of life."""

    def __str__(self) -> str:
        return f"<Worker {self.pid}>"


class HookRequest:
    """A request, read from its environ."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ

    @property
    def method(self) -> str:
        return str(self._environ["REQUEST_METHOD"])

    @property
    def uri(self) -> str:
        """The target, as it was sent."""
        return str(self._environ["RAW_URI"])

    @property
    def path(self) -> str:
        """The path of the target, not decoded."""
        return self.uri.partition("?")[0]

    @property
    def query(self) -> str:
        return str(self._environ["QUERY_STRING"])

    @property
    def scheme(self) -> str:
        return str(self._environ["wsgi.url_scheme"])

    @property
    def version(self) -> tuple[int, int]:
        major, _, minor = str(self._environ["SERVER_PROTOCOL"]).removeprefix("HTTP/").partition(".")
        return int(major), int(minor)

    @property
    def body(self) -> Any:
        """The content, as a file; the application finds what was not read from it."""
        return self._environ["wsgi.input"]

    @property
    def remote_addr(self) -> tuple[str, int]:
        return self._environ["REMOTE_ADDR"], int(self._environ.get("REMOTE_PORT", 0))

    @cached_property
    def headers(self) -> Fields:
        """The fields, in capitals. What pre_request adds, the application is given too."""
        return [(name, value) for key, value in self._environ.items() if (name := field_of(key))]

    def hand_over(self) -> None:
        """Give to environ what a hook has added to `headers`."""
        for name, value in self.__dict__.get("headers", ()):
            self._environ[key_of(name)] = value


def field_of(key: str) -> str:
    """Return the name of the field that is *key* in environ; empty if none is."""
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.replace("_", "-")
    return key.removeprefix("HTTP_").replace("_", "-") if key.startswith("HTTP_") else ""


def key_of(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


class HookResponse:
    """A response that is over."""

    def __init__(self, status: str, headers: Fields, sent: int) -> None:
        self.status = status
        self.headers = headers
        self.sent = sent

    @property
    def status_code(self) -> int | None:
        """None if nothing was sent."""
        code = self.status[:3]
        return int(code) if code.isdecimal() else None
