"""Functions of a Python configuration file that the server calls. What they are given is in greenserve/hooks/."""

import dataclasses
from collections.abc import Callable
from typing import Any

from greenserve.hooks import Hook
from greenserve.setting import HOOKS, setting

Function = Callable[..., Any]


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class HookSettings:
    on_starting: Function | None = setting(
        Hook("on_starting(server)"),
        default=None,
        group=HOOKS,
        help="Called in the master before it listens. If it raises, the server does not start.",
    )
    on_reload: Function | None = setting(
        Hook("on_reload(server)"),
        default=None,
        group=HOOKS,
        help="Called in the master when a reload has read the configuration anew, before workers are forked that follow it.",
    )
    when_ready: Function | None = setting(
        Hook("when_ready(server)"),
        default=None,
        group=HOOKS,
        help="Called in the master, once, when all workers have loaded the application and serve.",
    )
    pre_fork: Function | None = setting(
        Hook("pre_fork(server, worker)"),
        default=None,
        group=HOOKS,
        help="Called in the master before each worker is forked.",
    )
    post_fork: Function | None = setting(
        Hook("post_fork(server, worker)"),
        default=None,
        group=HOOKS,
        help="Called in each worker when it is patched, before it loads the application. If it raises, no worker starts.",
    )
    post_worker_init: Function | None = setting(
        Hook("post_worker_init(worker)"),
        default=None,
        group=HOOKS,
        help="Called in each worker when the application, worker.wsgi, is loaded. If it raises, no worker starts.",
    )
    worker_int: Function | None = setting(
        Hook("worker_int(worker)"),
        default=None,
        group=HOOKS,
        help="Called in a worker, once, when it gets SIGQUIT or the master is told to stop at once.",
    )
    worker_abort: Function | None = setting(
        Hook("worker_abort(worker)"),
        default=None,
        group=HOOKS,
        help="Called in a worker that is stuck and has been replaced, or gets SIGABRT; it ends after that, with exit code 1.",
    )
    pre_exec: Function | None = setting(
        Hook("pre_exec(server)"),
        default=None,
        group=HOOKS,
        help="Called in the old master before it starts a new one in its place, for SIGUSR2.",
    )
    pre_request: Function | None = setting(
        Hook("pre_request(worker, req)"),
        default=None,
        group=HOOKS,
        help="Called in the worker before the application is, for each request. If it raises, the answer is 500.",
    )
    post_request: Function | None = setting(
        Hook("post_request(worker, req, environ, resp)", optional=2),
        default=None,
        group=HOOKS,
        help="Called in the worker after each request. It may take only the first two or three arguments.",
    )
    child_exit: Function | None = setting(
        Hook("child_exit(server, worker)"),
        default=None,
        group=HOOKS,
        help="Called in the master when a worker has died.",
    )
    worker_exit: Function | None = setting(
        Hook("worker_exit(server, worker)"),
        default=None,
        group=HOOKS,
        help="Called in each worker before it ends.",
    )
    nworkers_changed: Function | None = setting(
        Hook("nworkers_changed(server, new_value, old_value)"),
        default=None,
        group=HOOKS,
        help="Called in the master when the number of workers that it is to have changes; at first, old_value is None.",
    )
    on_exit: Function | None = setting(
        Hook("on_exit(server)"),
        default=None,
        group=HOOKS,
        help="Called in the master before it ends.",
    )
