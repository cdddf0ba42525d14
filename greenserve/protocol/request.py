"""What the head of one request says, as whoever reads and answers the request needs it."""

from dataclasses import dataclass
from typing import Any


@dataclass
class RequestHead:
    """One request, as far as its head tells; made by `parse_request_head`.

    Its attributes have C types in request.pxd.
    """

    # Written out, for Cython's dataclass knows no slots=True.
    __slots__ = (
        "chunked",
        "content_length",
        "dropped_fields",
        "environ",
        "expects_continue",
        "http11",
        "method",
        "persistent",
        "size",
        "upgrade",
    )

    #: A fresh environ: what the connection knows, and what this head adds.
    environ: dict[str, Any]
    #: Bytes of the buffer that the head took, with the empty lines before it.
    size: int
    method: str
    #: HTTP/1.1 or a later 1.x, so that chunks and interim responses may be sent.
    http11: bool
    #: The length in bytes that the head announces; None if it announces none, or chunks.
    content_length: int | None
    chunked: bool
    persistent: bool
    #: 100 (Continue) is waited for. False if there is no content to wait with.
    expects_continue: bool
    #: The protocol that the client would rather speak, in lower case.
    upgrade: str | None
    #: How many fields were kept from the application because of their names.
    dropped_fields: int
