"""What is compared: an application, a request, the answer to it, and a load."""

import socket
from collections.abc import Callable
from typing import NamedTuple, Protocol

from bench.answers import Address, Expected
from bench.crowd import Balance, BesideSlowReaders, Idle, Shares
from bench.load import Outcome, Start, Visit, Wrk
from bench.peers import (
    ACCESS_LOG,
    BJOERN,
    COMPILED,
    FASTPYSGI,
    FASTWSGI,
    FLOOR,
    GEVENT,
    GRANIAN,
    GTHREAD,
    MANY_THREADS,
    PERSISTENT,
    PLAIN,
    PYWSGI,
    THREADS,
    TLS,
    UWSGI,
    WAITING,
    WAITRESS,
    WORKERS,
    Ability,
    Peer,
)
from bench.processes import ServerFault

#: Seconds; less than the application pauses.
PROMPT = 0.3

CPU = "CPU µs per request"
HELLO = Expected(b"Hello, world!\n")
DATABASE = Expected(b'{"answer":42}\n')
JSON = Expected(b'{"message":"Hello, world!","numbers":[1,2,3]}\n')
BLOCK = b"0123456789abcdef" * 64
MIB = Expected(BLOCK, 1024)
STREAM = Expected(BLOCK, 64)
FILE = Expected(BLOCK, 100 * 1024)


class Load(Protocol):
    def apply(self, visit: Visit) -> Outcome: ...

    def lasts(self, seconds: int) -> float:
        """Return about how many seconds it takes, warming up included, if asked to last *seconds*."""


def make_request(method: str = "GET", target: str = "/", *lines: str, content: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode() + content


def make_chunks(content: bytes, size: int) -> bytes:
    chunks = (content[start : start + size] for start in range(0, len(content), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


#: What a browser sends: 12 fields, 700 bytes.
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: http://127.0.0.1/articles/2026/greenlets?page=3",
    "Cookie: session=eyJ1c2VyIjo0Miwicm9sZXMiOlsiZWRpdG9yIl19.aR8xQg.0nV7b1ZkPq3mJtHc5uWyLxE2dGs; theme=dark; _ga=GA1.1.1290",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Priority: u=0, i",
)
POST_16_KIB = make_request("POST", "/", "Content-Length: 16384", content=b"x" * 16384)
POST_CHUNKED = make_request("POST", "/", "Transfer-Encoding: chunked", content=make_chunks(b"x" * 2**20, 16384))


def check_nothing(address: Address) -> str:
    """What most scenarios have to see besides the answer."""
    return ""


def check_blocks_are_sent_as_they_come(address: Address) -> str:
    """Raise ServerFault if the first block waits for those that the application has not made yet.

    Who sends it while the application waits, but not while it computes, is told apart by a remark.
    """
    if not is_first_block_prompt(address, "pause"):
        raise ServerFault("holds blocks back until the last is there")
    return "" if is_first_block_prompt(address, "compute") else "holds blocks back while the application computes"


def is_first_block_prompt(address: Address, way: str) -> bool:
    """Tell whether the first block comes although the application takes its time for the second."""
    with address.connect(PROMPT) as connection:
        connection.sendall(make_request("GET", f"/?{way}"))
        received = b""
        try:
            while BLOCK not in received:
                received += receive_some(connection)
        except TimeoutError:
            return False
    return True


def receive_some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ServerFault("ended a stream before its first block")
    return data


class Scenario(NamedTuple):
    name: str
    title: str
    #: Of bench/apps.
    module: str = "hello"
    load: Load = Wrk()
    request: bytes = make_request()
    expected: Expected | None = HELLO
    unit: str = CPU
    #: Who takes part besides greenserve: those of whom it says something.
    beside: frozenset[str] = frozenset()
    #: What a server has to be able to do for it.
    needs: frozenset[Ability] = frozenset()
    workers: int = 1
    threads: int = THREADS
    #: How many requests go out together.
    depth: int = 1
    closing: bool = False
    #: Requests per second that come if nobody waits longer than the application does.
    ideal: float | None = None
    #: Whether it needs PostgreSQL.
    database: bool = False
    #: Sees to more than the answer, and returns what is to be remarked.
    check: Callable[[Address], str] = check_nothing
    #: At most so many rounds: where little is left to chance, or much time would go.
    rounds: int | None = None
    #: Part of --quick.
    quick: bool = True

    def is_for(self, peer: Peer) -> bool:
        return peer is COMPILED or (peer.name in self.beside and self.needs <= peer.abilities)


def names(*peers: Peer) -> frozenset[str]:
    return frozenset(peer.name for peer in peers)


def concurrency(connections: int) -> Scenario:
    return Scenario(
        f"concurrency-{connections}",
        f"Hello, {connections:,} connection{'s' if connections > 1 else ''}",
        load=Wrk(connections, 1 + connections // 2000),
        beside=names(PLAIN, GEVENT, GRANIAN, BJOERN, FLOOR),
        rounds=3,
        quick=False,
    )


LASTING = frozenset({PERSISTENT})
CLOSING_REQUEST = make_request("GET", "/", "Connection: close")
COUNTS = make_request("GET", "/counts")
KIB = "KiB per connection"
SHARE = "busiest worker over mean"

#: Those in C, of which each serves one request at a time.
IN_C = (BJOERN, FASTWSGI, FASTPYSGI)
WORKING = names(GEVENT, GRANIAN, BJOERN)

SCENARIOS = (
    Scenario("hello", "Hello", beside=names(PLAIN, GEVENT, GTHREAD, GRANIAN, *IN_C, UWSGI, WAITRESS, PYWSGI, FLOOR)),
    Scenario(
        "browser",
        "Hello, browser-sized head",
        request=make_request("GET", "/a?b=c", *BROWSER),
        beside=names(PLAIN, GEVENT, GRANIAN, *IN_C, FLOOR),
    ),
    Scenario("flask", "Flask JSON", "flask_json", expected=JSON, beside=names(PLAIN, GEVENT, GRANIAN, *IN_C, UWSGI)),
    Scenario(
        "database",
        "Flask and PostgreSQL",
        "flask_database",
        # When it ends 256 are under way, of a few thousand in each second.
        Wrk(256, 4),
        expected=DATABASE,
        beside=names(PLAIN, GEVENT, GTHREAD, GRANIAN, BJOERN),
        database=True,
    ),
    Scenario(
        "database-slow",
        "Flask and PostgreSQL, 20 ms for each query",
        "flask_database",
        # A server that blocks needs five seconds for one turn through them, and for those that the warming up leaves behind.
        Wrk(256, 5, warming=16),
        make_request("GET", "/slow"),
        DATABASE,
        beside=names(GEVENT, GRANIAN, BJOERN),
        database=True,
        quick=False,
    ),
    Scenario(
        "sleep",
        "Sleep 50 ms, 1,000 connections",
        "sleep",
        Wrk(1000),
        beside=names(PLAIN, GEVENT, GRANIAN, UWSGI, PYWSGI),
        needs=frozenset({WAITING}),
        ideal=1000 / 0.05,
    ),
    Scenario(
        "post",
        "POST 16 KiB",
        "content",
        request=POST_16_KIB,
        expected=Expected(b"     16384"),
        beside=names(PLAIN, GEVENT, GRANIAN, *IN_C),
    ),
    Scenario(
        "chunked",
        "POST 1 MiB chunked",
        "content",
        Wrk(16),
        POST_CHUNKED,
        Expected(b"   1048576"),
        beside=names(GEVENT, GRANIAN, FASTWSGI),
    ),
    Scenario("large", "1 MiB answer", "large", Wrk(16), expected=MIB, beside=names(GEVENT, GRANIAN, *IN_C, UWSGI)),
    Scenario("file", "100 MiB file", "file", Wrk(2), expected=FILE, beside=names(GEVENT, GTHREAD, GRANIAN, UWSGI)),
    Scenario(
        "file-beside-readers",
        "100 MiB file beside 100 slow readers",
        "file",
        BesideSlowReaders(Wrk(2), 100),
        expected=FILE,
        beside=names(GEVENT, GTHREAD, UWSGI),
        needs=frozenset({WAITING}),
        threads=MANY_THREADS,
    ),
    Scenario(
        "stream",
        "Stream of 64 × 1 KiB",
        "stream",
        expected=STREAM,
        beside=names(GEVENT, GRANIAN, *IN_C, UWSGI, PYWSGI),
        check=check_blocks_are_sent_as_they_come,
    ),
    Scenario(
        "close",
        "One request per connection",
        request=CLOSING_REQUEST,
        closing=True,
        beside=names(PLAIN, GEVENT, GRANIAN, *IN_C, FLOOR),
    ),
    Scenario("pipelined", "Hello, pipelined 16 deep", depth=16, beside=names(GEVENT, GRANIAN, *IN_C), needs=LASTING),
    Scenario(
        "access-log",
        "Hello, access log on",
        beside=names(PLAIN, GEVENT, GRANIAN, UWSGI, PYWSGI),
        needs=frozenset({ACCESS_LOG}),
    ),
    Scenario("tls", "Hello over TLS", beside=names(PLAIN, GEVENT, GRANIAN, PYWSGI), needs=frozenset({TLS})),
    Scenario(
        "idle",
        "10,000 idle connections",
        load=Idle(10_000, 1),
        unit=KIB,
        beside=names(PLAIN, GEVENT, GRANIAN, BJOERN, PYWSGI),
        needs=LASTING,
    ),
    Scenario(
        "idle-quiet",
        "10,000 connections idle for 15 s",
        load=Idle(10_000, 15),
        unit=KIB,
        beside=names(PLAIN),
        needs=LASTING,
        quick=False,
    ),
    *(
        Scenario(
            f"balance-{count}",
            f"{count:,} connections over 4 workers",
            "process",
            load=Balance(count, 4),
            expected=None,
            unit=SHARE,
            beside=WORKING,
            needs=LASTING | {WORKERS},
            workers=4,
        )
        for count in (64, 1000)
    ),
    Scenario(
        "shares",
        "Requests over 4 workers",
        "process",
        load=Shares(Wrk(64), 4, COUNTS),
        expected=None,
        unit=SHARE,
        beside=WORKING,
        needs=LASTING | {WORKERS},
        workers=4,
    ),
    Scenario(
        "start",
        "From the command to the first answer",
        load=Start(),
        unit="ms to the first answer",
        beside=names(PLAIN, GEVENT, GTHREAD, GRANIAN, BJOERN, UWSGI, WAITRESS, PYWSGI),
    ),
    *(concurrency(connections) for connections in (1, 10, 100, 1_000, 10_000)),
)
