"""Whether a server answers as it should: one request by hand, before a load and after it.

A load generator only counts; what it counts is worth nothing if the answers
are wrong. So a scenario says what it expects, and its true length is what the
load is held to as well.
"""

import http.client
import socket
import ssl
import time
from typing import NamedTuple

from bench.processes import ServerFault, ServerProcess

#: Seconds. Under valgrind, on a busy machine, a server takes its time to start.
STARTING = 300.0
ANSWERING = 60.0
PAUSE = 0.005


class NotListening(ServerFault):
    """Nobody has the port, or not yet."""


class Address(NamedTuple):
    host: str
    port: int
    encrypted: bool = False

    @property
    def url(self) -> str:
        return f"{'https' if self.encrypted else 'http'}://{self.host}:{self.port}"

    def connect(self, timeout: float = ANSWERING) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout)
        return trust_anybody().wrap_socket(plain) if self.encrypted else plain


class Answer(NamedTuple):
    status: int
    content: bytes
    #: Bytes on the wire, head and framing included.
    length: int
    #: Whether only the end of the connection ends it.
    until_close: bool = False
    #: Whether the connection is there for the next request.
    persistent: bool = True


class Expected(NamedTuple):
    """Content that is one block, *times* over."""

    block: bytes
    times: int = 1

    def check(self, answer: Answer) -> None:
        """Raise ServerFault if the answer is another one."""
        if answer.status != 200:
            raise ServerFault(f"answered {answer.status} where 200 was expected")
        if answer.content != self.block * self.times:
            raise ServerFault(f"answered {len(answer.content)} wrong bytes: {answer.content[:40]!r}")


class CountingSocket:
    """What http.client reads from: it counts the bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")
        self.length = 0

    def makefile(self, mode: str) -> "CountingSocket":
        return self

    def readline(self, limit: int = -1) -> bytes:
        return self._count(self._file.readline(limit))

    def read(self, size: int = -1) -> bytes:
        return self._count(self._file.read(size))

    def readinto(self, buffer: bytearray) -> int:
        size = self._file.readinto(buffer)
        self.length += size
        return size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self._file.close()

    def _count(self, data: bytes) -> bytes:
        self.length += len(data)
        return data


def trust_anybody() -> ssl.SSLContext:
    """Return a context for a server of our own, whose certificate nobody signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(address: Address, request: bytes, timeout: float = ANSWERING) -> Answer:
    """Send one request on a connection of its own; raises ServerFault if no whole answer comes."""
    try:
        with address.connect(timeout) as connection:
            connection.sendall(request)
            return receive_answer(connection)
    except ConnectionRefusedError as error:
        raise NotListening("does not listen") from error
    except (OSError, http.client.HTTPException) as error:
        raise ServerFault(f"no answer: {error or type(error).__name__}") from error


def receive_answer(connection: socket.socket) -> Answer:
    counting = CountingSocket(connection)
    response = http.client.HTTPResponse(counting)  # type: ignore[arg-type]
    response.begin()
    until_close = response.length is None and not response.chunked
    persistent = not response.will_close
    return Answer(response.status, response.read(), counting.length, until_close, persistent)


def wait_until_it_answers(server: ServerProcess, address: Address, request: bytes) -> None:
    """Wait until the server listens, and then for its first answer, whatever that is."""
    deadline = time.monotonic() + STARTING
    while True:
        try:
            # One that listens first and loads the application then takes its time with the answer.
            ask(address, request, STARTING)
            server.note_answer()
            return
        except NotListening as fault:
            if server.ended or time.monotonic() > deadline:
                raise ServerFault(f"did not start: {server.last_words()}") from fault
        except ServerFault as fault:
            raise ServerFault(f"{fault}; it said: {server.last_words()}") from fault
        time.sleep(PAUSE)
