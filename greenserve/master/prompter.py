"""Calls the hooks that run in the master.

They run between two turns of its loop, so nothing else happens meanwhile. What
one raises is logged under its name and the master goes on, but for on_starting:
nothing is served yet, and a file that refuses to start should be heard.
"""

import logging
import sys
from pathlib import Path

from greenserve.barrier import barrier
from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.hooks import HookServer, HookWorker, call_hook, describe_hook, try_hook

log = logging.getLogger("greenserve.error")


class Prompter:
    def __init__(self, config: Config) -> None:
        self._server = HookServer(config)
        self._told_ready = False
        self._warned_of_threads = False

    def start(self) -> None:
        """Raises ConfigError if on_starting raises anything."""
        self._call("nworkers_changed", self._server, self._server.num_workers, None)
        config = self._server.cfg
        try:
            with barrier(Path(config.chdir)):
                call_hook(config, "on_starting", self._server)
        except (Exception, SystemExit) as error:
            raise ConfigError(f"{describe_hook(config, 'on_starting')} raised {type(error).__name__}: {error}") from error

    def listen(self, sockets: list[object]) -> None:
        """These are the sockets to listen on, from now on."""
        self._server.LISTENERS[:] = sockets

    def follow(self, config: Config) -> None:
        """This is the configuration, from now on."""
        self._server.cfg = config

    def reload(self) -> None:
        self._call("on_reload", self._server)

    def resize(self, size: int) -> None:
        before, self._server.num_workers = self._server.num_workers, size
        if size != before:
            self._call("nworkers_changed", self._server, size, before)

    def ready(self) -> None:
        """All workers are ready; only the first time is told."""
        if not self._told_ready:
            self._told_ready = True
            self._call("when_ready", self._server)

    def fork(self, number: int, config: Config) -> HookWorker:
        """Return what stands for a worker that is about to be forked."""
        worker = HookWorker(self._server, number, config)
        self._call("pre_fork", self._server, worker)
        return worker

    def forked(self, worker: HookWorker, pid: int) -> None:
        worker.pid = pid
        self._server.WORKERS[pid] = worker

    def bury(self, pid: int) -> None:
        worker = self._server.WORKERS.pop(pid, None)
        if worker is not None:
            worker.leave()
            self._call("child_exit", self._server, worker)

    def replace(self) -> None:
        """Another master is about to be started in the place of this one."""
        self._call("pre_exec", self._server)

    def end(self) -> None:
        self._call("on_exit", self._server)

    def _call(self, name: str, *arguments: object) -> None:
        config = self._server.cfg
        if getattr(config, name) is not None:
            with barrier(Path(config.chdir)):
                try_hook(config, name, *arguments)
            self._look_for_threads(name)

    def _look_for_threads(self, name: str) -> None:
        """Warn of a thread, once: a fork copies the locks that it holds, and not the one who would let them go."""
        if len(sys._current_frames()) > 1 and not self._warned_of_threads:
            self._warned_of_threads = True
            log.warning("%s has left a thread in the master, which can hang workers", describe_hook(self._server.cfg, name))
