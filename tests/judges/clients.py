"""Five clients that many people use, called in one way.

Each follows no redirect, undoes no compression that it did not ask for, and sends an iterator in chunks.
"""

import asyncio
import subprocess
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import aiohttp
import httpx
import requests
import urllib3

from tests.judges.conftest import DEADLINE

#: Content is sent with its length, pieces are sent in chunks.
Content = bytes | Iterable[bytes]


class Answer(NamedTuple):
    status: int
    #: By name in lower case.
    fields: dict[str, str]
    content: bytes


Fetch = Callable[..., Answer]


def lowered(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in fields.items()}


def fetch_with_requests(url: str, method: str = "GET", fields: Mapping[str, str] | None = None, content: Content = b"") -> Answer:
    answer = requests.request(method, url, headers=fields, data=content, timeout=DEADLINE, allow_redirects=False)
    return Answer(answer.status_code, lowered(answer.headers), answer.content)


def fetch_with_httpx(url: str, method: str = "GET", fields: Mapping[str, str] | None = None, content: Content = b"") -> Answer:
    answer = httpx.request(method, url, headers=fields, content=content or None, timeout=DEADLINE)
    return Answer(answer.status_code, lowered(answer.headers), answer.content)


def fetch_with_urllib3(url: str, method: str = "GET", fields: Mapping[str, str] | None = None, content: Content = b"") -> Answer:
    with urllib3.PoolManager() as pool:
        answer = pool.request(method, url, headers=fields, body=content or None, timeout=DEADLINE, redirect=False)
    return Answer(answer.status, lowered(answer.headers), answer.data)


def fetch_with_aiohttp(url: str, method: str = "GET", fields: Mapping[str, str] | None = None, content: Content = b"") -> Answer:
    async def fetch() -> Answer:
        data = content if isinstance(content, bytes) else stream(content)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(DEADLINE)) as session,
            session.request(method, url, headers=fields, data=data or None, allow_redirects=False) as answer,
        ):
            return Answer(answer.status, lowered(answer.headers), await answer.read())

    return asyncio.run(fetch())


async def stream(pieces: Iterable[bytes]):
    for piece in pieces:
        yield piece


def fetch_with_curl(url: str, method: str = "GET", fields: Mapping[str, str] | None = None, content: Content = b"") -> Answer:
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--compressed",
        "--max-time",
        str(DEADLINE),
        "--dump-header",
        "/dev/stderr",
        url,
    ]
    command += ["--head"] if method == "HEAD" else ["--request", method]
    for name, value in (fields or {}).items():
        command += ["--header", f"{name}: {value}"]
    if not isinstance(content, bytes):
        command += ["--header", "Transfer-Encoding: chunked"]
        content = b"".join(content)
    command += ["--data-binary", "@-"] if content else []
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    # What came before the last head was interim, such as 100 (Continue).
    status_line, *lines = done.stderr.decode().strip().split("\r\n\r\n")[-1].splitlines()
    content = b"" if method == "HEAD" else done.stdout
    return Answer(int(status_line.split()[1]), lowered(dict(line.split(": ", 1) for line in lines)), content)


CLIENTS = {
    "aiohttp": fetch_with_aiohttp,
    "curl": fetch_with_curl,
    "httpx": fetch_with_httpx,
    "requests": fetch_with_requests,
    "urllib3": fetch_with_urllib3,
}
