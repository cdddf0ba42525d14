"""The sockets the server listens on: opened before anything is forked, shared by every worker.

A port that is taken is said at once, and by whom if it can be found out. A unix
socket that nobody answers is replaced; one that a server answers, or a
file that is no socket, is never touched.
"""

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from greenserve.errors import ConfigError
from greenserve.kinds import Address
from greenserve.master.occupant import find_occupant

#: Where systemd puts the first socket it passes (sd_listen_fds(3)).
FIRST_PASSED_FD = 3


@dataclass(frozen=True)
class Listener:
    socket: socket.socket
    #: What was asked for; None for one that was passed to us unasked.
    address: Address | None = None
    #: Which file the socket is, if we made it: (path, device, inode).
    file: tuple[str, int, int] | None = None

    @property
    def name(self) -> str:
        if self.address is not None and self.address.kind == "unix":
            # What the kernel calls it may be the name that it had for a moment only.
            return str(self.address)
        name = self.socket.getsockname()
        if self.socket.family == socket.AF_UNIX:
            return f"unix:{os.fsdecode(name)}".replace("\0", "@")
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"

    def url(self, tls: bool) -> str:
        """Return where clients find it, as the log says it; *tls* is what TCP listeners speak."""
        return self.name if self.socket.family == socket.AF_UNIX else f"{'https' if tls else 'http'}://{self.name}"

    def close(self, *, keep_file: bool = False) -> None:
        """Close it, and remove the file if it is still the one we made; *keep_file* if somebody goes on with it."""
        self.socket.close()
        if self.file is None or keep_file:
            return
        path, *made = self.file
        with suppress(OSError):
            found = os.lstat(path)
            if [found.st_dev, found.st_ino] == made:
                os.unlink(path)


#: In bytes, without the zero at the end (unix(7)).
LONGEST_PATH = 107

#: How many bytes that a client has no room for yet the kernel takes from us. Left
#: alone it takes nearly 3 MB for each: a thousand slow readers would have its memory.
UNSENT = 256 << 10


class Manner(NamedTuple):
    """How to listen, whatever the address."""

    backlog: int = socket.SOMAXCONN
    umask: int | None = None
    reuse_port: bool = False
    ipv6_only: bool = False
    #: User and group of a socket's file; -1 leaves what is.
    owner: tuple[int, int] = (-1, -1)


def open_listeners(addresses: Sequence[Address], manner: Manner, beside: Sequence[Address] = ()) -> list[Listener]:
    """Open every address, or none and raise ConfigError; *beside* them others are open already.

    A host name with several addresses gives a listener for each that this machine has.
    """
    opened: list[Listener] = []
    try:
        for address in addresses:
            opened += open_address(address, [*addresses, *beside], manner)
    except BaseException:
        close_listeners(opened)
        raise
    return opened


def close_listeners(listeners: Sequence[Listener]) -> None:
    for listener in listeners:
        listener.close()


def take_passed_listeners(environ: MutableMapping[str, str] = os.environ) -> list[Listener]:
    """Return the sockets that systemd, or whoever speaks as it does, has passed to this very process.

    The variables are removed, since they are not meant for our children.
    """
    pid, number, _ = (environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"))
    if pid != str(os.getpid()) or not number.isdecimal():
        return []
    return [adopt(FIRST_PASSED_FD + index, f"LISTEN_FDS={number}") for index in range(int(number))]


def open_address(address: Address, others: Sequence[Address], manner: Manner) -> list[Listener]:
    if address.kind == "fd":
        return [adopt(address.fd, f"--bind {address}", address, manner.backlog)]
    if address.kind == "unix":
        return [open_unix(address, manner)]
    return open_tcp(address, others, manner)


# Sockets that somebody else has made.


def adopt(fd: int, origin: str, address: Address | None = None, backlog: int = socket.SOMAXCONN) -> Listener:
    try:
        adopted = socket.socket(fileno=fd)
    except OSError as error:
        raise ConfigError(f"{origin}: descriptor {fd} is not a socket ({error.strerror})") from None
    if adopted.type != socket.SOCK_STREAM or adopted.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        adopted.detach()
        raise ConfigError(f"{origin}: descriptor {fd} is not a stream socket of TCP or unix")
    if not adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        adopted.listen(backlog)
    return Listener(ready_to_share(adopted), address)


def ready_to_share(made: socket.socket) -> socket.socket:
    """Set what every listener has, wherever it is from; workers inherit it by fork, programs they run do not."""
    made.setblocking(False)
    made.set_inheritable(False)
    if made.family != socket.AF_UNIX:
        # Connections inherit both, which saves system calls for each.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    return made


# TCP.


def open_tcp(address: Address, others: Sequence[Address], manner: Manner) -> list[Listener]:
    opened: list[Listener] = []
    absent: OSError | None = None
    for family, host in resolve(address):
        # "localhost:0" is one port, not one for each of its addresses.
        port = address.port or (opened[0].socket.getsockname()[1] if opened else 0)
        try:
            opened.append(Listener(bind_tcp(family, host, port, is_alone(address, others), manner), address))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                close_listeners(opened)
                raise refuse_tcp(address, error) from None
            absent = error
    if not opened and absent is not None:
        raise refuse_tcp(address, absent)
    return opened


def resolve(address: Address) -> list[tuple[int, str]]:
    """Return family and numeric host of all that a name stands for, IPv4 first."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigError(f"--bind {address}: the name {address.host!r} has no address ({error.strerror})") from None
    return sorted({(int(family), str(name[0])) for family, _, _, _, name in found})


def is_alone(address: Address, others: Sequence[Address]) -> bool:
    """Tell whether "::" may serve IPv4 too, as it does elsewhere: not if "0.0.0.0" is asked for beside it."""
    return not any(other.host == "0.0.0.0" and other.port == address.port for other in others)


def bind_tcp(family: int, host: str, port: int, dual: bool, manner: Manner) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if manner.reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual and host == "::" and not manner.ipv6_only else 1)
        made.bind((host, port))
        made.listen(manner.backlog)
        return ready_to_share(made)
    except BaseException:
        made.close()
        raise


def refuse_tcp(address: Address, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        occupant = find_occupant(address.port) or "another process"
        if occupant.startswith(f"pid {os.getpid()} "):
            occupant = "this very server, for an address that it overlaps: that needs a restart"
        return ConfigError(f"--bind {address} is already in use by {occupant}")
    if error.errno == errno.EACCES:
        return ConfigError(
            f"--bind {address} was refused (permission denied): use a port above 1023, or give the process CAP_NET_BIND_SERVICE"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ConfigError(f"--bind {address}: this machine has no address {address.host}; 0.0.0.0 stands for all that it has")
    return ConfigError(f"--bind {address} was refused ({error.strerror})")


# Unix sockets.


def open_unix(address: Address, manner: Manner) -> Listener:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        file = None if address.abstract else bind_file(made, address, manner)
        if address.abstract:
            made.bind(address.path.replace("@", "\0", 1))
        made.listen(manner.backlog)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"--bind {address} is already in use by another process") from None
        raise ConfigError(f"--bind {address} was refused ({error.strerror or error})") from None
    except ConfigError:
        made.close()
        raise
    return Listener(ready_to_share(made), address, file)


def bind_file(made: socket.socket, address: Address, manner: Manner) -> tuple[str, int, int]:
    """Bind, in place of what a server that is gone has left, and return which file that made.

    The new file is listened on, and belongs to whom it shall, before it takes
    the name: who connects meanwhile is refused, or served, and always finds a file.
    """
    with alone_in(os.path.dirname(address.path) or "."):
        path = find_free_path(address)
        with umask_of(manner.umask):
            made.bind(path)
        try:
            give_to(path, manner.owner, address)
            # Nobody answers on it before this: another server must not take it for stale.
            made.listen()
            os.rename(path, address.path)
        except BaseException:
            os.unlink(path)
            raise
    file = os.lstat(address.path)
    return address.path, file.st_dev, file.st_ino


def find_free_path(address: Address) -> str:
    """Return where to bind: at the address, or if a file of a server that is gone is there, beside it."""
    if not is_stale(address):
        return address.path
    beside = f"{address.path}.{os.getpid()}"
    if len(os.fsencode(beside)) <= LONGEST_PATH:
        return beside
    # There is no room for another name. For a moment there is no file.
    os.unlink(address.path)
    return address.path


def give_to(path: str, owner: tuple[int, int], address: Address) -> None:
    try:
        os.chown(path, *owner)
    except OSError as error:
        raise ConfigError(f"{address} cannot be given to user {owner[0]}, group {owner[1]}: {error.strerror}") from None


@contextmanager
def alone_in(folder: str) -> Iterator[None]:
    """Keep other servers of ours from cleaning up in *folder* meanwhile: two that start at once must not both win."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_stale(address: Address) -> bool:
    """Tell whether there is the socket file of a server that is gone; raise ConfigError for anything else in the way."""
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"--bind {address}: there is a file of that name which is not a socket, and it is left alone")
    if is_answered(address.path):
        raise ConfigError(f"--bind {address} is already in use: a server answers on it")
    return True


def is_answered(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)
        try:
            caller.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError:
            # Its queue is full, or it is not ours to call: somebody holds it.
            return True
    return True


@contextmanager
def umask_of(mask: int | None) -> Iterator[None]:
    if mask is None:
        yield
        return
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
