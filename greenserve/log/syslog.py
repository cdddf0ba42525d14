"""Lines for syslog: over a datagram, or over a connection that is made anew when it is lost.

Nothing here waits either: a daemon that does not listen costs lines, which are
counted, and it gets those that come when it is back.
"""

import os
from _socket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    SOCK_DGRAM,
    SOCK_STREAM,
    getaddrinfo,
    socket,
)
from _socket import gaierror as AddressError  # noqa: N812
from contextlib import suppress
from dataclasses import dataclass
from errno import EINPROGRESS, EPROTOTYPE
from select import POLLOUT, poll
from typing import Any, NamedTuple

from greenserve.errors import ConfigError

_FIRST = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp")

FACILITIES = dict(zip(_FIRST, range(len(_FIRST)), strict=True)) | {f"local{number}": 16 + number for number in range(8)}

#: Of RFC 5424, by the level of `logging`.
SEVERITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}

INFO = "INFO"

#: Seconds between two tries to send the last datagrams.
PAUSE = 0.01

#: Bytes of a message; daemons cut longer ones, and a datagram that is much longer cannot be sent at all.
LONGEST = 8192


class Target(NamedTuple):
    family: int
    kind: int
    #: As sendto() and connect() take it.
    address: Any


@dataclass(frozen=True)
class Syslog:
    """Where messages go, and what they begin with."""

    address: str
    facility: str
    #: "greenserve.shop"; the log's own name follows.
    prefix: str

    def message(self, log: str, severity: str, text: str) -> bytes:
        """Return the message, with the newline that counts it as one line."""
        priority = FACILITIES[self.facility] * 8 + SEVERITIES.get(severity, 6)
        # Octal, as rsyslog writes control characters: one record is one message.
        line = text.rstrip("\n").replace("\n", "#012")
        message = f"<{priority}>{self.prefix}.{log}: [{os.getpid()}] {line}"
        return message.encode("utf-8", "backslashreplace")[:LONGEST] + b"\n"


def find_target(address: str) -> Target:
    """Return what udp://HOST:PORT, tcp://HOST:PORT or unix://PATH#TYPE means. Raises ConfigError for an unknown host."""
    protocol, _, rest = address.partition("://")
    if protocol == "unix":
        path, _, sort = rest.partition("#")
        return Target(AF_UNIX, SOCK_STREAM if sort == "stream" else SOCK_DGRAM, path)
    host, _, port = rest.rpartition(":")
    kind = SOCK_DGRAM if protocol == "udp" else SOCK_STREAM
    try:
        found = getaddrinfo(host.strip("[]"), int(port), 0, kind)
    except AddressError as error:
        raise ConfigError(f"syslog_addr {address!r}: host {host!r} is not known ({error.strerror})") from error
    # IPv4 first: localhost is both, and daemons listen there for the older one.
    family, _, _, _, target = min(found, key=lambda each: (AF_INET, AF_INET6).index(each[0]))
    return Target(family, kind, target)


class SyslogSocket:
    """What an Outflow writes to. Each write is one message."""

    def __init__(self, address: str) -> None:
        self.path = address
        #: Nothing is put together with anything.
        self.piece = 0
        self._target = find_target(address)
        self._socket: socket | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._send(data)
        except BlockingIOError:
            raise
        except OSError as error:
            self._disconnect()
            if error.errno == EPROTOTYPE and self._target.kind == SOCK_DGRAM:
                # Older daemons have /dev/log as a stream.
                self._target = self._target._replace(kind=SOCK_STREAM)
                return self.write(data)
            raise

    def _send(self, data: bytes) -> int:
        if self._socket is None:
            self._socket = self._connect()
        if self._target.kind == SOCK_STREAM:
            return self._socket.send(data, MSG_DONTWAIT | MSG_NOSIGNAL)
        # Not connected: it would hear of lost datagrams, and not of a daemon that is back.
        self._socket.sendto(data.rstrip(b"\n"), MSG_DONTWAIT, self._target.address)
        return len(data)

    def _connect(self) -> socket:
        """Return a socket; a stream is perhaps not connected yet, and takes nothing until it is."""
        made = socket(self._target.family, self._target.kind)
        if self._target.kind == SOCK_STREAM:
            made.setblocking(False)
            failed = made.connect_ex(self._target.address)
            if failed not in (0, EINPROGRESS):
                made.close()
                raise OSError(failed, os.strerror(failed))
        return made

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def await_room(self, seconds: float) -> bool:
        if self._socket is None:
            return True
        asked = poll()
        if self._target.kind == SOCK_STREAM:
            asked.register(self._socket.fileno(), POLLOUT)
            return bool(asked.poll(seconds * 1000))
        # Nothing tells when a daemon has room for a datagram again.
        asked.poll(min(seconds, PAUSE) * 1000)
        return True

    def reopen(self) -> None:
        """Nothing moves away here."""

    def close(self) -> None:
        with suppress(OSError):
            self._disconnect()
