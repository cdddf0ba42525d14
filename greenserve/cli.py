"""`greenserve [options] MODULE:CALLABLE`: puts the parts together.

The only file that knows every part. Nothing is decided here but the order in
which they are made.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from greenserve.barrier import barrier
from greenserve.config import Config
from greenserve.errors import ConfigError, FatalError
from greenserve.log import (
    LoggingSource,
    Logs,
    Syslog,
    check_log_file,
    close_error_log,
    compile_access_format,
    configure_logging,
    error_log,
    lend_error_log,
    open_logs,
)
from greenserve.master.daemon import run_detached
from greenserve.master.master import Master
from greenserve.master.owner import make_log_files
from greenserve.migration import migrate
from greenserve.seat import Seat
from greenserve.sources import Loaded, describe_config, load_config
from greenserve.speedups import check_switch


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv*, or with the process's own arguments; return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        check_switch()
        load = partial(load_config, arguments, os.environ.copy(), find_directory())
        return migrate_file(arguments[1:]) if arguments[:1] == ["migrate"] else act(load(), load)
    except FatalError as error:
        print(f"greenserve: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read what we print has seen enough, as `head` does; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        close_error_log()


def find_directory() -> Path:
    """Return where we stand. Raises ConfigError if that is gone, as an old release may be."""
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigError(f"the current directory cannot be used ({error.strerror}): change to one that is there") from None


def migrate_file(arguments: Sequence[str]) -> int:
    """Print the gunicorn file that is named as greenserve.toml. Raises ConfigError."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise ConfigError(
            "`greenserve migrate FILE` prints a gunicorn.conf.py as greenserve.toml; "
            "to serve a module called migrate, write migrate:application"
        )
    # The file may print, and what we print is often sent to another.
    with redirect_stdout(sys.stderr):
        text = migrate(Path(arguments[0]))
    print(text, end="", flush=True)
    return 0


def act(loaded: Loaded, load: Callable[[], Loaded]) -> int:
    """Do what the command line asks: show the configuration, check it, or serve."""
    if loaded.action is not None:
        for note in loaded.notes:
            print(f"greenserve: {note}", file=sys.stderr)
    if loaded.action == "print-config":
        print(describe_config(loaded), flush=True)
        return 0
    if loaded.action == "check-config":
        compile_access_format(loaded.config.access_log_format)
        check_logging(loaded.config)
        check_log_files(loaded.config)
        return check_application(loaded.config)
    run = partial(serve, loaded, load)
    return run_detached(run) if loaded.config.daemon else run()


def serve(loaded: Loaded, load: Callable[[], Loaded], served: Callable[[], None] = lambda: None) -> int:
    """Serve until the end, and return the exit code; *served* is called when all workers are ready."""
    open_all_logs(loaded)
    bind_given = not loaded.is_default("bind")
    return Master(loaded.config, partial(reload_config, load), start_worker, bind_given=bind_given, served=served).run()


def reload_config(load: Callable[[], Loaded]) -> Config:
    """Return the configuration as it is now, by the function that start uses. Raises ConfigError."""
    loaded = load()
    open_all_logs(loaded)
    return loaded.config


def open_all_logs(loaded: Loaded) -> None:
    """Send the error log where it is to go, see that access lines can be written, and say what was passed over."""
    config = loaded.config
    compile_access_format(config.access_log_format)
    make_log_files(config)
    check_log_files(config)
    syslog = Syslog(config.syslog_addr, config.syslog_facility, config.syslog_name) if config.syslog else None
    # A configuration of logging names classes, which are imported here.
    with barrier(Path(config.chdir)):
        open_logs(Logs(config.errorlog, config.loglevel, syslog, logging_source(config)))
    lend_error_log()
    for note in loaded.notes:
        error_log.warning("%s", note)


def logging_source(config: Config) -> LoggingSource:
    return LoggingSource(config.logconfig_dict, config.logconfig_json, config.logconfig)


def check_logging(config: Config) -> None:
    """Configure logging as a server would, but open no log of ours. Raises ConfigError."""
    with barrier(Path(config.chdir)):
        configure_logging(logging_source(config))


def check_log_files(config: Config) -> None:
    """See that the logs could be opened, and make none. Raises ConfigError."""
    for setting, path in (("accesslog", config.accesslog), ("errorlog", config.errorlog)):
        if path:
            check_log_file(setting, path)


def start_worker(seat: Seat) -> int:
    """Turn a freshly forked process into a worker; return its exit code.

    The import stands here because it loads gevent and patches the process,
    which the master must never do.
    """
    from greenserve.worker.boot import run_worker

    return run_worker(seat)


def check_application(config: Config) -> int:
    """Load certificates and the application as a worker would, serve nothing, return the exit code."""
    from greenserve.worker.boot import check

    check(config)
    print(f"the configuration is good, and {config.wsgi_app!r} loads")
    return 0
