"""What an application has begun while it was loaded, and a fork does not copy as one might think. Found by name.

A connection that two processes use carries the answers of one to the other; a
thread of the system is missing in the copy, with whatever it held.
"""

import gc
import os
import socket
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress

from gevent import Greenlet, get_hub, monkey

(plain_socket,) = monkey.get_original("socket", ["socket"])


def find_unshared(ours: Collection[str]) -> list[str]:
    """Return what should be begun by each worker for itself, in words; *ours* are the sockets that were there before."""
    return [*find_threads(), *find_greenlets(), *find_connections(ours), *find_event_loops(), *find_children()]


def find_threads() -> Iterator[str]:
    """Patched threads are greenlets, and go on in every copy, where they count as ended; threads of the system do not."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            yield f"the thread {thread.name!r}"
    native = len(os.listdir("/proc/self/task")) - 1 - get_hub().threadpool.size
    if native > 0:
        yield f"threads of the system: {native}"


def find_greenlets() -> Iterator[str]:
    """Return those that somebody began as such."""
    for found in gc.get_objects():
        if type(found) is Greenlet and not found.dead and not runs_thread(found):
            function = getattr(found, "_run", None)
            yield f"the greenlet {getattr(function, '__qualname__', function)}"


def runs_thread(greenlet: Greenlet) -> bool:
    function = getattr(greenlet, "_run", None)
    arguments = getattr(greenlet, "args", ())
    owners = [getattr(each, "__self__", None) for each in (function, *arguments)]
    return any(isinstance(owner, threading.Thread) for owner in owners)


def find_sockets() -> dict[str, int]:
    """Return a descriptor of each socket that is open, by the kernel's name for it."""
    sockets = {}
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            sockets[os.readlink(f"/proc/self/fd/{descriptor}")] = int(descriptor)
    return {name: descriptor for name, descriptor in sockets.items() if name.startswith("socket:")}


def find_connections(ours: Collection[str]) -> Iterator[str]:
    """Find those that are not *ours*; the log may go into one, such as that of systemd's journal."""
    for name, descriptor in find_sockets().items():
        peer = None if name in ours else find_peer(descriptor)
        if peer:
            yield f"a connection to {peer}"


def find_peer(descriptor: int) -> str | None:
    """Return whom a stream is connected to; None if it is none, or to something without an address."""
    try:
        with plain_socket(fileno=os.dup(descriptor)) as copy:
            peer = copy.getpeername() if copy.type == socket.SOCK_STREAM else None
    except OSError:
        return None
    if isinstance(peer, tuple):
        return f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
    return os.fsdecode(peer) if peer else None


def find_event_loops() -> Iterator[str]:
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        loops = [found for found in gc.get_objects() if isinstance(found, asyncio.AbstractEventLoop)]
        yield from ("an event loop of asyncio" for loop in loops if not loop.is_closed())


def find_children() -> Iterator[str]:
    with suppress(OSError):
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            pids = file.read().split()
        for pid in pids:
            with open(f"/proc/{pid}/comm") as file:
                yield f"the process {pid} ({file.read().strip()})"
