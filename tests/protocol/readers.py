"""Our reading of a client's bytes, and that of two parsers that others rely on.

h11 was written to follow the RFCs to the letter; httptools is llhttp, which
reads for Node.js and uvicorn. All three are brought to the same form, so that
two readings can be compared.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import h11
import httptools

from greenserve.errors import ProtocolError
from greenserve.protocol.content import content_after
from greenserve.protocol.fields import EVERY_NAME
from greenserve.protocol.limits import Limits

LIMITS = Limits()
NOT_FIELDS = ("RAW_URI", "REQUEST_METHOD", "SERVER_PROTOCOL", "PATH_INFO", "QUERY_STRING")


class Request(NamedTuple):
    """What one reader took for one whole request."""

    method: str
    target: str
    fields: dict[str, str]
    content: bytes


class Reading(NamedTuple):
    requests: list[Request]
    #: Why nothing more was read: a complaint, or empty if more bytes, or none, were wanted.
    refusal: str
    #: The last request ends the conversation in HTTP/1.1, whatever bytes follow.
    last: bool = False


def read_ours(parse: Callable[..., Any], raw: bytes) -> Reading:
    """Return what we read, up to the last request of the connection."""
    requests: list[Request] = []
    buffer = bytearray(raw)
    try:
        while (head := parse(buffer, {}, LIMITS, 0)) is not None:
            del buffer[: head.size]
            decoder = content_after(head, LIMITS)
            content = decoder.decode(buffer)
            if not decoder.finished:
                break
            fields = {key: value for key, value in head.environ.items() if key not in NOT_FIELDS}
            requests.append(Request(head.method, head.environ["RAW_URI"], fields, content))
            if not head.persistent or head.upgrade:
                return Reading(requests, "", True)
    except ProtocolError as error:
        return Reading(requests, str(error))
    return Reading(requests, "")


def read_h11(raw: bytes) -> Reading:
    requests: list[Request] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMITS.head)
    connection.receive_data(raw)
    try:
        while (request := read_next_h11(connection)) is not None:
            requests.append(request)
            if not answer_h11(connection):
                return Reading(requests, "", True)
    except h11.RemoteProtocolError as error:
        return Reading(requests, str(error))
    return Reading(requests, "")


def read_next_h11(connection: h11.Connection) -> Request | None:
    head = None
    content = b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            fields = join_fields(head.headers)
            return Request(head.method.decode("latin-1"), head.target.decode("latin-1"), fields, content)
        else:
            return None


def answer_h11(connection: h11.Connection) -> bool:
    """Answer, as h11 needs before it reads on; return whether it would."""
    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


class Collector:
    """What httptools calls while it reads."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.target = self.content = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.head_is_complete = False

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_is_complete:
            self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.head_is_complete = True

    def on_body(self, part: bytes) -> None:
        self.content += part

    def on_message_complete(self) -> None:
        method = self.parser.get_method().decode("latin-1")
        self.requests.append(Request(method, self.target.decode("latin-1"), join_fields(self.fields), self.content))


def read_httptools(raw: bytes) -> Reading:
    collector = Collector()
    try:
        collector.parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        return Reading(collector.requests, "", True)
    except httptools.HttpParserError as error:
        return Reading(collector.requests, f"{type(error).__name__}: {error}")
    return Reading(collector.requests, "")


def join_fields(fields: Any) -> dict[str, str]:
    """Return *fields* as environ has them, without what it must not have."""
    joined: dict[str, str] = {}
    for name, value in fields:
        key = EVERY_NAME.learn(name.decode("latin-1"))
        if key is None:
            continue
        text = value.decode("latin-1").strip(" \t")
        separator = "; " if key == "HTTP_COOKIE" else ", "
        joined[key] = joined[key] + separator + text if key in joined else text
    return joined


OTHERS: dict[str, Callable[[bytes], Reading]] = {"h11": read_h11, "httptools": read_httptools}


def find_differences(ours: Reading, theirs: Reading) -> Iterator[str]:
    """Yield what the other reader says of each request that we accept, where it is not what we say.

    What we refuse and others accept is no difference here: strictness is ours to choose.
    """
    for number, request in enumerate(ours.requests):
        if number == len(theirs.requests):
            if number == 0 or not theirs.last:
                yield f"refuses: {theirs.refusal}" if theirs.refusal else "waits"
            return
        for name, here, there in zip(Request._fields, request, theirs.requests[number], strict=True):
            if here != there:
                yield f"{name}: {describe(here, there)}"


def describe(here: Any, there: Any) -> str:
    """Return what the other reader has in place of what we have."""
    if not isinstance(here, dict):
        return f"{there!r} for {here!r}"
    return ", ".join(
        f"{key} {there.get(key)!r} for {here.get(key)!r}" for key in sorted({*here, *there}) if here.get(key) != there.get(key)
    )
