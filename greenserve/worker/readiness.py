"""When a socket can go on: one registration per connection, for its whole life.

Starting and stopping a watcher for each wait costs two system calls a request.
Here a socket is added once, edge-triggered, to an epoll of our own, which one
ordinary watcher of gevent's loop watches; an event either wakes the greenlet
that waits for it or is remembered until somebody asks.

Edges do not repeat: nothing here may lose one, whatever a woken greenlet does.
"""

from typing import Any, Protocol

from gevent import get_hub, getcurrent, spawn_raw
from gevent.monkey import get_original
from gevent.socket import wait_write

from greenserve.worker.wire import HALF_CLOSED, READABLE, TO_READ, WRITABLE, DeadlineExceeded, Held, Wire, now
from greenserve.worker.wires import wires

_EDGE_TRIGGERED = 1 << 31
_EVERYTHING = READABLE | WRITABLE | HALF_CLOSED | _EDGE_TRIGGERED

_BATCH = 128


def wait_beside(fd: int, deadline: float) -> None:
    """Wait for room to write while another greenlet waits to read, and so has the wire.

    Raises DeadlineExceeded. One watcher for each wait, as only a tunnel needs it.
    """
    wait_write(fd, max(0.0, deadline - now()), DeadlineExceeded())


class Waiter(Protocol):
    """Waits for wires, on behalf of one worker."""

    def wait(self, wire: Wire, events: int, deadline: float) -> None:
        """Return once one of *events* has been seen and not used up.

        Raises DeadlineExceeded when the clock passes *deadline*, at the next sweep.
        """

    def sleep(self, wire: Wire, deadline: float, sleeper: Any) -> None:
        """Wait to read without a greenlet: *sleeper* gets a new one for it, also when the clock has passed *deadline*."""

    def hold(self, wire: Wire) -> None:
        """Let the kernel hold back what was sent with `more` until the loop has turned, and no longer."""

    def forget(self, wire: Wire) -> None:
        """Note no more events of a wire that is about to be closed."""

    def expire(self) -> None:
        """End every wait whose deadline has passed; called by the sweeper, in the hub."""

    def interrupt(self, wire: Wire) -> None:
        """Raise DeadlineExceeded where a greenlet waits, if one does; called in the hub."""

    def close(self) -> None: ...


class EpollReadiness:
    """Every connection of one worker behind one edge-triggered epoll."""

    def __init__(self) -> None:
        self._hub = get_hub()
        # gevent hides epoll from applications, since polling it blocks; we never wait in it.
        self._epoll = get_original("select", "epoll")()
        self._wires: dict[int, Wire] = {}
        self._watcher = self._hub.loop.io(self._epoll.fileno(), READABLE)
        self._watcher.start(self._deliver)
        self.hold = Held().add

    def wait(self, wire: Wire, events: int, deadline: float) -> None:
        if not wire.watched:
            self._watch(wire)
        if wire.seen & events:
            return
        wire.awaited = events
        wire.deadline = deadline
        wire.greenlet = getcurrent()
        try:
            self._hub.switch()
        finally:
            wire.greenlet = None

    def sleep(self, wire: Wire, deadline: float, sleeper: Any) -> None:
        if not wire.watched:
            self._watch(wire)
        wire.deadline = deadline
        wire.sleeper = sleeper
        if wire.seen & TO_READ:
            self._rouse(wire)

    def forget(self, wire: Wire) -> None:
        wire.sleeper = None
        if wire.watched:
            wire.watched = False
            del self._wires[wire.fd]
            # Closing would do, had the application not perhaps forked a process that still holds the socket.
            self._epoll.unregister(wire.fd)

    def expire(self) -> None:
        moment = now()
        late = [wire for wire in self._wires.values() if wire.deadline <= moment and (wire.greenlet or wire.sleeper)]
        for wire in late:
            self._rouse(wire)
            self.interrupt(wire)

    def interrupt(self, wire: Wire) -> None:
        if wire.greenlet is not None:
            self._wake(wire, wire.greenlet.throw, DeadlineExceeded)

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        self._epoll.close()

    def _watch(self, wire: Wire) -> None:
        self._wires[wire.fd] = wire
        self._epoll.register(wire.fd, _EVERYTHING)
        wire.watched = True

    def _deliver(self) -> None:
        for fd, events in self._epoll.poll(0, _BATCH):
            wire = self._wires.get(fd)
            if wire is None:
                continue
            wire.seen |= events
            if wire.greenlet is not None:
                if events & wire.awaited:
                    self._wake(wire, wire.greenlet.switch)
            elif events & TO_READ:
                self._rouse(wire)

    def _rouse(self, wire: Wire) -> None:
        """Give a greenlet to who waits without one."""
        sleeper, wire.sleeper = wire.sleeper, None
        if sleeper is not None:
            spawn_raw(sleeper)

    def _wake(self, wire: Wire, resume: Any, *args: Any) -> None:
        """Run a waiting greenlet until it waits again; the others in this batch must get their turn whatever it raises."""
        try:
            resume(*args)
        except Exception as error:
            self._hub.handle_error(wire, type(error), error, error.__traceback__)


class LoopReadiness:
    """The same where there is no epoll: a watcher of gevent's loop for each wait."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._waiting: set[Wire] = set()
        self._asleep: dict[Wire, Any] = {}
        self.hold = Held().add

    def wait(self, wire: Wire, events: int, deadline: float) -> None:
        wire.watched = True
        wire.deadline = deadline
        wire.greenlet = getcurrent()
        self._waiting.add(wire)
        watcher = self._hub.loop.io(wire.fd, 1 if events & READABLE else 2)
        try:
            self._hub.wait(watcher)
        finally:
            watcher.close()
            wire.greenlet = None
            self._waiting.discard(wire)

    def sleep(self, wire: Wire, deadline: float, sleeper: Any) -> None:
        wire.deadline = deadline
        wire.sleeper = sleeper
        watcher = self._asleep[wire] = self._hub.loop.io(wire.fd, 1)
        watcher.start(self._rouse, wire)

    def forget(self, wire: Wire) -> None:
        wire.sleeper = None
        self._rouse(wire)

    def expire(self) -> None:
        moment = now()
        for wire in [each for each in (*self._waiting, *self._asleep) if each.deadline <= moment]:
            self._rouse(wire)
            self.interrupt(wire)

    def interrupt(self, wire: Wire) -> None:
        if wire.greenlet is not None:
            wire.greenlet.throw(DeadlineExceeded)

    def close(self) -> None:
        """Nothing is kept between waits."""

    def _rouse(self, wire: Wire) -> None:
        watcher = self._asleep.pop(wire, None)
        if watcher is not None:
            watcher.close()
        sleeper, wire.sleeper = wire.sleeper, None
        if sleeper is not None:
            spawn_raw(sleeper)


def open_readiness() -> Waiter:
    """Return what this system can do best."""
    best: type[Waiter] = getattr(wires, "EpollReadiness", EpollReadiness)
    try:
        return best()
    except (AttributeError, ImportError):
        return LoopReadiness()
