"""Requests that a worker serves to itself before it is ready, so that no client waits for what the first one costs.

They take the way of every request but for the socket: what the application
answers is looked at and dropped.
"""

from contextvars import copy_context
from email.utils import formatdate
from traceback import format_exception
from typing import Any
from urllib.parse import urlsplit

from greenserve.errors import AppLoadError
from greenserve.protocol.content import NO_CONTENT
from greenserve.protocol.heads import parse_request_head
from greenserve.protocol.limits import Limits
from greenserve.protocol.request import RequestHead
from greenserve.wsgi.exchange import Application, Exchange
from greenserve.wsgi.input import Input


class Audience:
    """A channel to nobody."""

    def send(self, *pieces: bytes) -> None:
        """Nobody hears it."""

    def stream(self, *pieces: bytes) -> None:
        """Nor this."""

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        return count

    def date(self) -> str:
        return formatdate(usegmt=True)

    def may_persist(self) -> bool:
        return False


def rehearse(application: Application, target: str, base: dict[str, Any]) -> None:
    """Let *application* answer GET *target*, a path or a URL, in the environ of a connection.

    Raises AppLoadError if it fails, or answers with a status from 400 on.
    """
    exchange = Exchange(make_head(target, base), Input(NO_CONTENT, bytearray(), lambda: None), Audience())
    copy_context().run(exchange.run, application)
    if exchange.failure is not None:
        trace = "".join(format_exception(exchange.failure)).rstrip()
        raise AppLoadError(f"--warmup {target} failed in the application, so no worker serves it\n{trace}")
    if (exchange.code or 0) >= 400:
        raise AppLoadError(f"--warmup {target} was answered with {exchange.status}, so no worker serves the application")


def make_head(target: str, base: dict[str, Any]) -> RequestHead:
    url = urlsplit(target)
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    raw = f"GET {path} HTTP/1.1\r\nHost: {url.netloc or 'localhost'}\r\nUser-Agent: greenserve (warmup)\r\n\r\n"
    head = parse_request_head(raw.encode("latin-1", "replace"), base | {"wsgi.url_scheme": url.scheme or "http"}, Limits())
    assert head is not None
    head.environ["wsgi.early_hints"] = lambda fields: None
    return head
