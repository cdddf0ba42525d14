"""What is compared: an application, a request, the answer to it, and a load."""

import socket
from collections.abc import Callable
from typing import NamedTuple, Protocol

from bench.answers import Address, Expected
from bench.crowd import Balance, BesideSlowReaders, Idle
from bench.load import Outcome, Visit, Wrk
from bench.peers import ACCESS_LOG, PERSISTENT, TLS, WAITING, WORKERS, Ability
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


def check_nothing(address: Address) -> None:
    """What most scenarios have to see besides the answer."""


def check_blocks_are_sent_as_they_come(address: Address) -> None:
    """Raise ServerFault if the first block waits for those that the application has not made yet."""
    with address.connect(PROMPT) as connection:
        connection.sendall(make_request("GET", "/?pause"))
        received = b""
        while BLOCK not in received:
            received += receive_promptly(connection)


def receive_promptly(connection: socket.socket) -> bytes:
    try:
        data = connection.recv(65536)
    except TimeoutError as error:
        raise ServerFault("holds blocks back until the last is there") from error
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
    #: What a server has to be able to do for it.
    needs: frozenset[Ability] = frozenset()
    workers: int = 1
    #: How many requests go out together.
    depth: int = 1
    closing: bool = False
    #: Whether the floor, which parses nothing, does the same work.
    floor: bool = False
    #: Whether it needs PostgreSQL.
    database: bool = False
    check: Callable[[Address], None] = check_nothing
    #: Part of --quick.
    quick: bool = True


def concurrency(connections: int) -> Scenario:
    title = f"Hello, {connections:,} connection{'s' if connections > 1 else ''}"
    return Scenario(f"concurrency-{connections}", title, load=Wrk(connections, 1 + connections // 500), floor=True, quick=False)


LASTING = frozenset({PERSISTENT})
CLOSING_REQUEST = make_request("GET", "/", "Connection: close")
KIB = "KiB per connection"
SHARE = "busiest worker over mean"

SCENARIOS = (
    Scenario("hello", "Hello", floor=True),
    Scenario("browser", "Hello, browser-sized head", request=make_request("GET", "/a?b=c", *BROWSER), floor=True),
    Scenario("flask", "Flask JSON", "flask_json", expected=JSON),
    Scenario("database", "Flask and PostgreSQL", "flask_database", Wrk(256), expected=DATABASE, database=True),
    Scenario(
        "database-slow",
        "Flask and PostgreSQL, 20 ms for each query",
        "flask_database",
        # A server that blocks needs six seconds for one turn through them.
        Wrk(256, 15),
        make_request("GET", "/slow"),
        DATABASE,
        database=True,
        quick=False,
    ),
    Scenario("sleep", "Sleep 50 ms, 1,000 connections", "sleep", Wrk(1000), needs=frozenset({WAITING})),
    Scenario("post", "POST 16 KiB", "content", request=POST_16_KIB, expected=Expected(b"     16384")),
    Scenario("chunked", "POST 1 MiB chunked", "content", Wrk(16), POST_CHUNKED, Expected(b"   1048576")),
    Scenario("large", "1 MiB answer", "large", Wrk(16), expected=MIB),
    Scenario("file", "100 MiB file", "file", Wrk(2), expected=FILE),
    Scenario(
        "file-beside-readers",
        "100 MiB file beside 100 that do not read",
        "file",
        BesideSlowReaders(Wrk(2), 100),
        expected=FILE,
        needs=frozenset({WAITING}),
        quick=False,
    ),
    Scenario("stream", "Stream of 64 × 1 KiB", "stream", expected=STREAM, check=check_blocks_are_sent_as_they_come),
    Scenario("close", "One request per connection", request=CLOSING_REQUEST, closing=True, floor=True),
    Scenario("pipelined", "Hello, pipelined 16 deep", depth=16, needs=LASTING),
    Scenario("access-log", "Hello, access log on", needs=frozenset({ACCESS_LOG})),
    Scenario("tls", "Hello over TLS", needs=frozenset({TLS})),
    Scenario("idle", "10,000 idle connections", load=Idle(10_000, 1), unit=KIB, needs=LASTING),
    Scenario("idle-quiet", "10,000 connections idle for 15 s", load=Idle(10_000, 15), unit=KIB, needs=LASTING, quick=False),
    *(
        Scenario(
            f"balance-{count}",
            f"{count:,} connections over 4 workers",
            "process",
            Balance(count, 4),
            expected=None,
            unit=SHARE,
            needs=LASTING | {WORKERS},
            workers=4,
        )
        for count in (64, 1000)
    ),
    *(concurrency(connections) for connections in (1, 10, 100, 1_000, 10_000)),
)
