"""When a socket can go on: one registration per connection, for its whole life.

Starting and stopping a watcher for each wait costs two system calls a request.
Here a socket is added once, edge-triggered, to an epoll of our own, which one
ordinary watcher of gevent's loop watches; an event either wakes the greenlet
that waits for it or is remembered until somebody asks.

Edges do not repeat: nothing here may lose one, whatever a woken greenlet does.
"""

from typing import Any, Protocol

from gevent import get_hub, getcurrent
from gevent.monkey import get_original
from gevent.socket import wait_write

#: The numbers of <sys/epoll.h>; poll's are the same.
READABLE = 0x001
WRITABLE = 0x004
FAILED = 0x008 | 0x010
HALF_CLOSED = 0x2000

#: What reading may wait for, and what writing may: a client that has sent its
#: last byte (FIN) can still be written to.
TO_READ = READABLE | HALF_CLOSED | FAILED
TO_WRITE = WRITABLE | FAILED

_EDGE_TRIGGERED = 1 << 31
_EVERYTHING = READABLE | WRITABLE | HALF_CLOSED | _EDGE_TRIGGERED

_NEVER = float("inf")
_BATCH = 128


class DeadlineExceeded(Exception):
    """What was waited for did not come in time. Never leaves the worker's own code."""


def now() -> float:
    """Return the time of the loop's clock, in seconds; read once a turn of the loop, so it costs nothing."""
    return float(get_hub().loop.now())


def wait_beside(fd: int, deadline: float) -> None:
    """Wait for room to write while another greenlet waits to read, and so has the registration.

    Raises DeadlineExceeded. One watcher for each wait, as only a tunnel needs it.
    """
    wait_write(fd, max(0.0, deadline - now()), DeadlineExceeded())


class Registration:
    """What is known of one socket, and the greenlet that waits for it, if one does."""

    __slots__ = ("awaited", "deadline", "fd", "greenlet", "seen")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        #: Events that came and were not used up; whoever sees a call say "would block" clears its own.
        self.seen = 0
        self.awaited = 0
        self.greenlet: Any = None
        #: On the loop's clock, in seconds; it counts only while a greenlet waits.
        self.deadline = _NEVER


class Waiter(Protocol):
    """Waits for sockets on behalf of one worker."""

    def register(self, fd: int) -> Registration: ...

    def unregister(self, registration: Registration) -> None: ...

    def wait(self, registration: Registration, events: int, deadline: float) -> None: ...

    def expire(self) -> None: ...

    def interrupt(self, registration: Registration) -> None: ...

    def close(self) -> None: ...


class EpollReadiness:
    """Every connection of one worker behind one edge-triggered epoll."""

    def __init__(self) -> None:
        self._hub = get_hub()
        # gevent hides epoll from applications, since polling it blocks; we never wait in it.
        self._epoll = get_original("select", "epoll")()
        self._registrations: dict[int, Registration] = {}
        self._watcher = self._hub.loop.io(self._epoll.fileno(), READABLE)
        self._watcher.start(self._deliver)

    def register(self, fd: int) -> Registration:
        registration = self._registrations[fd] = Registration(fd)
        self._epoll.register(fd, _EVERYTHING)
        return registration

    def unregister(self, registration: Registration) -> None:
        """Forget a socket that is about to be closed."""
        del self._registrations[registration.fd]
        # Closing would do, had the application not perhaps forked a process that still holds the socket.
        self._epoll.unregister(registration.fd)

    def wait(self, registration: Registration, events: int, deadline: float) -> None:
        """Return once one of *events* has been seen and not used up.

        Raises DeadlineExceeded when the loop's clock passes *deadline*.
        """
        if registration.seen & events:
            return
        registration.awaited = events
        registration.deadline = deadline
        registration.greenlet = getcurrent()
        try:
            self._hub.switch()
        finally:
            registration.greenlet = None

    def expire(self) -> None:
        """End every wait whose deadline has passed; called by the sweeper, in the hub."""
        moment = now()
        late = [each for each in self._registrations.values() if each.greenlet is not None and each.deadline <= moment]
        for registration in late:
            self.interrupt(registration)

    def interrupt(self, registration: Registration) -> None:
        """Raise DeadlineExceeded where a greenlet waits, if one does; called in the hub."""
        if registration.greenlet is not None:
            self._wake(registration, registration.greenlet.throw, DeadlineExceeded)

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        self._epoll.close()

    def _deliver(self) -> None:
        for fd, events in self._epoll.poll(0, _BATCH):
            registration = self._registrations.get(fd)
            if registration is None:
                continue
            registration.seen |= events
            if registration.greenlet is not None and events & registration.awaited:
                self._wake(registration, registration.greenlet.switch)

    def _wake(self, registration: Registration, resume: Any, *args: Any) -> None:
        """Run a waiting greenlet until it waits again; the others in this batch must get their turn whatever it raises."""
        try:
            resume(*args)
        except Exception as error:
            self._hub.handle_error(registration, type(error), error, error.__traceback__)


class LoopReadiness:
    """The same where there is no epoll: a watcher of gevent's loop for each wait."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._waiting: set[Registration] = set()

    def register(self, fd: int) -> Registration:
        return Registration(fd)

    def unregister(self, registration: Registration) -> None:
        """Nothing is kept between waits."""

    def wait(self, registration: Registration, events: int, deadline: float) -> None:
        registration.deadline = deadline
        registration.greenlet = getcurrent()
        self._waiting.add(registration)
        watcher = self._hub.loop.io(registration.fd, 1 if events & READABLE else 2)
        try:
            self._hub.wait(watcher)
        finally:
            watcher.close()
            registration.greenlet = None
            self._waiting.discard(registration)

    def expire(self) -> None:
        moment = now()
        for registration in [each for each in self._waiting if each.deadline <= moment]:
            self.interrupt(registration)

    def interrupt(self, registration: Registration) -> None:
        if registration.greenlet is not None:
            registration.greenlet.throw(DeadlineExceeded)

    def close(self) -> None:
        """Nothing is kept between waits."""


def open_readiness() -> Waiter:
    """Return what this system can do best."""
    try:
        return EpollReadiness()
    except (AttributeError, ImportError):
        return LoopReadiness()
