"""`--reload`: a process of its own that asks the master to reload when a source file changes.

watchfiles, the library people use for it, runs threads, so neither it nor they
come near the master. The process ends when the master does.
"""

import importlib.util
import logging
import os
from collections.abc import Callable, Iterable

from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.mailbox import Command, Mailbox

log = logging.getLogger("greenserve.error")

#: Folders whose files are nobody's own sources.
FOREIGN = {
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".venv",
    "venv",
    "__pycache__",
    "node_modules",
    "site-packages",
    ".mypy_cache",
    ".pytest_cache",
}

#: How often the process looks whether there is still a master. It does not run in production.
LOOK_UP_MS = 500


def require_watchfiles() -> None:
    if importlib.util.find_spec("watchfiles") is None:
        raise ConfigError("--reload needs watchfiles: pip install 'greenserve[reload]'")


def find_roots(config: Config) -> list[str]:
    """Return the folders to watch: where the application is imported from, and those of the extra files."""
    folders = [config.chdir, *config.pythonpath]
    folders += [os.path.dirname(path) for path in config.reload_extra_files]
    return sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})


def is_source(path: str, roots: Iterable[str], extra: Iterable[str]) -> bool:
    """Tell whether a change of *path* is worth a reload."""
    if path in extra:
        return True
    inside = next((os.path.relpath(path, root) for root in roots if path.startswith(root + os.sep)), path)
    return path.endswith(".py") and not FOREIGN & set(inside.split(os.sep))


def make_filter(roots: list[str], extra: Iterable[str]) -> Callable[[object, str], bool]:
    real = {os.path.realpath(path) for path in extra}
    return lambda change, path: is_source(path, roots, real)


def watch(config: Config, mailbox: Mailbox) -> int:
    """Send the master a Command for every batch of changes until it is gone. Runs in a child."""
    import watchfiles

    roots = find_roots(config)
    watched = make_filter(roots, config.reload_extra_files)
    batches = watchfiles.watch(*roots, watch_filter=watched, rust_timeout=LOOK_UP_MS, yield_on_timeout=True)
    for number, changes in enumerate(batches):
        if number == 0:
            # The first batch comes soon, empty or not, and tells that the watch has begun.
            log.info("watching %s", ", ".join(roots))
        mailbox.receive()
        if mailbox.closed or (changes and not mailbox.send(Command("reload"))):
            break
    return 0
