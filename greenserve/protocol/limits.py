"""How much of a stranger's request we read before we refuse it. All sizes are bytes."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits of one listener.

    0 means "no limit of its own" for `line`, `fields`, `field_size` and `method`,
    which `head` then bounds. `head` and `trailer` are always limits: memory is held
    until they are reached.
    """

    #: The request line, without its CRLF. More is 414.
    line: int = 8190
    #: How many field lines a head, or a trailer section, may have. More is 431.
    fields: int = 100
    #: One field line, name and value, without its CRLF. More is 431.
    field_size: int = 8190
    #: The whole head, up to and including the empty line. More is 431.
    head: int = 65536
    #: The content, decoded; None means any length, 0 means none at all. More is 413.
    content: int | None = None
    #: The whole trailer section. More is 431.
    trailer: int = 8190
    #: The method. More is 501.
    method: int = 32
