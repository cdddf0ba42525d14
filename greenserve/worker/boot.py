"""From a fresh process to a serving worker.

Patches before anything else is imported: a name that was captured unpatched
would block the hub, or break in ways that are hard to see (psycopg chooses how
to wait at import; an early ssl ends in endless recursion). The process that
forks us has imported as little as it could, and nothing of gevent.
"""

from greenserve.worker.patch import patch_all

patch_all()

import atexit
import logging
import os
import resource
from importlib.metadata import version
from ssl import SSLContext
from traceback import format_exception
from typing import NamedTuple

from gevent import GreenletExit, get_hub
from gevent.event import Event
from gevent.hub import Hub

from greenserve.config import Config
from greenserve.errors import AppLoadError, FatalError, WorkerBootError
from greenserve.hooks import call_hook, describe_hook, try_hook
from greenserve.log import AccessLog, Syslog, capture_output, open_access_log, write_error_text
from greenserve.mailbox import Failed, Hello, Ready, Retire
from greenserve.seat import Seat
from greenserve.speedups import describe_form
from greenserve.status import monotonic_ms
from greenserve.worker.certificates import keep_quiet_about_names, make_context
from greenserve.worker.identity import assume_identity
from greenserve.worker.loops import keep_loops_apart
from greenserve.worker.mold import divide, settle_memory
from greenserve.worker.stacks import answer_examiner
from greenserve.worker.unshared import find_sockets, find_unshared
from greenserve.worker.worker import Worker
from greenserve.wsgi.environ import ErrorStream, connection_environ, listener_environ
from greenserve.wsgi.error_page import ErrorPage
from greenserve.wsgi.exchange import Application
from greenserve.wsgi.rehearsal import rehearse
from greenserve.wsgi.loader import load_application, make_importable

#: Descriptors that a worker may need beside its connections: the application's files and connections of its own.
OTHER_FILES = 1000

error_log = logging.getLogger("greenserve.error")


def run_worker(seat: Seat) -> int:
    """Load the application and serve it until drained; return the exit code of the process.

    What keeps the worker from serving is told to the master, which decides
    what becomes of the fleet and says it once.
    """
    try:
        means = acquire_means(seat)
        preloaded = None
        if seat.mold is not None:
            preloaded = preload(seat)
            # From here on in one process for each worker.
            seat = divide(seat, means.access_log)
        worker = boot(seat, means, preloaded)
    except FatalError as error:
        seat.mailbox.send(Failed(error.exit_code, str(error)))
        tell_exit(seat)
        return error.exit_code
    code = worker.run()
    tell_exit(seat)
    # Exporters and pools that the application registered get their chance; os._exit() would pass them by.
    atexit._run_exitfuncs()
    return code


def tell_exit(seat: Seat) -> None:
    try_hook(seat.config, "worker_exit", seat.worker.server, seat.worker)


class Means(NamedTuple):
    """What only root may be able to open."""

    access_log: AccessLog | None
    tls: SSLContext | None


def acquire_means(seat: Seat) -> Means:
    """Open what is root's alone, and give root up. Raises WorkerBootError."""
    keep_loops_apart()
    keep_exits_apart()
    seat.mailbox.send(Hello(version("gevent"), loop_name(), describe_form()))
    config = seat.config
    answer_examiner(seat.row)
    allow_descriptors(config.worker_connections)
    try:
        access_log = open_worker_log(config)
        if config.capture_output and config.errorlog != "-":
            capture_output(config.errorlog)
        # While we may still read what is root's alone.
        tls = make_context(config)
        if tls is not None:
            from greenserve.worker.tickets import share_tickets

            share_tickets(tls, seat.secret, seat.generation)
            keep_quiet_about_names()
        assume_identity(config.user, config.group, config.umask)
    except (FatalError, OSError) as error:
        raise WorkerBootError(f"a worker cannot start: {error}") from error
    return Means(access_log, tls)


def keep_exits_apart() -> None:
    """Let sys.exit() end the greenlet that calls it, and show where: gevent would end the worker without a word."""
    Hub.SYSTEM_ERROR = (KeyboardInterrupt, SystemError)
    Hub.NOT_ERROR = (GreenletExit,)


def preload(seat: Seat) -> Application:
    """Return the application, loaded once for many processes. Raises AppLoadError."""
    enter_surroundings(seat.config)
    ours = find_sockets()
    application = load_or_show(seat.config)
    unshared = find_unshared(ours)
    if unshared:
        error_log.warning("the workers share what each should begin in a post_fork hook: %s", ", ".join(unshared))
    settle_memory()
    return application


def boot(seat: Seat, means: Means, preloaded: Application | None) -> Worker:
    """Return a worker that has begun to serve. Raises AppLoadError or WorkerBootError."""
    application = load_between_hooks(seat, preloaded)
    warm_up(application, seat)
    worker = Worker(seat, application, *means)
    worker.start()
    seat.worker.booted = True
    seat.mailbox.send(Ready((monotonic_ms() - seat.row["born_ms"]) / 1000))
    return worker


def load_between_hooks(seat: Seat, preloaded: Application | None) -> Application:
    """Return the application, or what a hook has put in its place."""
    config, worker = seat.config, seat.worker
    worker.enter(seat.row, lambda reason: seat.mailbox.send(Retire(reason)))
    if preloaded is None:
        enter_surroundings(config)
    need_hook(config, "post_fork", worker.server, worker)
    worker.wsgi = load_or_show(config) if preloaded is None else preloaded
    need_hook(config, "post_worker_init", worker)
    application: Application = worker.wsgi
    return application


def warm_up(application: Application, seat: Seat) -> None:
    """Serve what the configuration names to ourselves. Raises AppLoadError if the application does not do well."""
    for target in seat.config.warmup if not isinstance(application, ErrorPage) else ():
        errors = ErrorStream(write_error_text)
        multiprocess = seat.config.resolved_workers > 1
        base = listener_environ(seat.listeners[0].getsockname(), multiprocess=multiprocess, errors=errors, draining=Event())
        rehearse(application, target, connection_environ(base, ("127.0.0.1", 0)))


def load_or_show(config: Config) -> Application:
    """Return the application; with --reload, if it cannot be loaded, what shows why. Raises AppLoadError without."""
    try:
        return load_application(config.wsgi_app)
    except AppLoadError as error:
        if not config.reload:
            raise
        error_log.error(str(error))
        return ErrorPage(str(error))


def need_hook(config: Config, name: str, *arguments: object) -> None:
    """Call the hook *name* if there is one. Raises WorkerBootError, with its traceback, if that fails."""
    try:
        call_hook(config, name, *arguments)
    except (Exception, SystemExit) as error:
        text = "".join(format_exception(error)).rstrip()
        raise WorkerBootError(f"a worker cannot start: {describe_hook(config, name)} failed\n{text}") from error


def check(config: Config) -> None:
    """Load all that a worker loads. Raises AppLoadError or WorkerBootError."""
    make_context(config)
    enter_surroundings(config)
    load_application(config.wsgi_app)


def enter_surroundings(config: Config) -> None:
    """Make the environment, the directory and the import path what the configuration says."""
    os.environ.update(config.env)
    os.chdir(config.chdir)
    for directory in reversed((os.getcwd(), *config.pythonpath)):
        make_importable(directory)


def open_worker_log(config: Config) -> AccessLog | None:
    """Return the access log; the lines of one turn of the hub are written together."""
    redirected = config.syslog and not config.disable_redirect_access_to_syslog
    syslog = Syslog(config.syslog_addr, config.syslog_facility, config.syslog_name) if redirected else None
    return open_access_log(config.accesslog, config.access_log_format, get_hub().loop.run_callback, syslog)


def allow_descriptors(connections: int) -> None:
    """Raise the soft limit of open files to what so many connections need, or as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if resource.RLIM_INFINITY != soft < wanted:
        granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))


def loop_name() -> str:
    """Return what gevent calls its event loop, such as `libev-cext`."""
    module = type(get_hub().loop).__module__
    return {"gevent.libev.corecext": "libev-cext", "gevent.libev.corecffi": "libev-cffi", "gevent.libuv.loop": "libuv-cffi"}.get(
        module, module
    )
