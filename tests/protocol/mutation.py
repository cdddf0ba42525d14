"""Requests nobody would write, made from those of the corpus by chance that can be repeated."""

import random
from collections.abc import Iterator

#: What readers of HTTP have stumbled over: whole pieces find more than single bytes.
PIECES = (
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n\n",
        b"\r\r\n",
        b"\r\n ",
        b"\r\n\t",
        b" ",
        b"\t",
        b"\x00",
        b"\x0b",
        b"\x0c",
        b"\x7f",
    ),
    *(
        b"\x80",
        b"\x85",
        b"\xa0",
        b"\xff",
        b":",
        b";",
        b",",
        b'"',
        b"=",
        b"+",
        b"-",
        b"_",
        b"#",
        b"?",
        b"%",
        b"@",
        b"/",
        b"\\",
        b"*",
    ),
    *(
        b"0",
        b"1",
        b"5",
        b"a",
        b"F",
        b"0x",
        b"00",
        b"99999999999999999999",
        b"chunked",
        b"identity",
        b"gzip",
        b"close",
        b"keep-alive",
    ),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Host: b\r\n",
        b"Connection: close\r\n",
    ),
    *(
        b"Expect: 100-continue\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n",
        b"GET / HTTP/1.1\r\n",
    ),
    *(b"HTTP/1.0", b"HTTP/1.1", b"HTTP/1.2", b"HTTP/2.0", b"http://a/", b"POST", b"get", b"Host", b"X-A: b\r\n", b"X_A: b\r\n"),
)

NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"


def mutate(seeds: list[bytes], seed: int, count: int) -> Iterator[bytes]:
    """Yield *count* requests made from *seeds*; the same *seed* yields the same ones."""
    chance = random.Random(seed)
    for _ in range(count):
        raw = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 3)):
            chance.choice(CHANGES)(raw, chance, seeds)
        yield bytes(raw) + NEXT if chance.random() < 0.5 else bytes(raw)


def replace_byte(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    if raw:
        raw[chance.randrange(len(raw))] = chance.randrange(256)


def insert_piece(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    at = chance.randint(0, len(raw))
    raw[at:at] = chance.choice(PIECES)


def replace_by_piece(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    at = chance.randint(0, len(raw))
    raw[at : at + chance.randint(1, 4)] = chance.choice(PIECES)


def remove_some(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    at = chance.randint(0, len(raw))
    del raw[at : at + chance.randint(1, 4)]


def insert_line(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    """Put a line of another request after any line of this one."""
    others = bytes(chance.choice(seeds)).split(b"\r\n")
    lines = bytes(raw).split(b"\r\n")
    lines.insert(chance.randint(1, len(lines)), chance.choice(others))
    raw[:] = b"\r\n".join(lines)


def repeat_line(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    lines = bytes(raw).split(b"\r\n")
    at = chance.randrange(len(lines))
    lines.insert(at, lines[at])
    raw[:] = b"\r\n".join(lines)


def swap_lines(raw: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    lines = bytes(raw).split(b"\r\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    raw[:] = b"\r\n".join(lines)


CHANGES = (replace_byte, insert_piece, replace_by_piece, remove_some, insert_line, insert_line, repeat_line, swap_lines)
