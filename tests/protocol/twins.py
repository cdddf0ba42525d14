"""The two parsers of a head, and what there is to compare of what they say."""

import os
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from greenserve.errors import ProtocolError
from greenserve.protocol.fields import Names
from greenserve.protocol.head import parse_request_head
from greenserve.protocol.limits import Limits

Parse = Callable[..., Any]


def load_twin(name: str) -> Parse:
    """Return the twin; skip the test if there is no compiled one, unless it is insisted on."""
    if name == "python":
        return parse_request_head
    try:
        from greenserve.protocol import _head
    except ImportError as error:
        if os.environ.get("GREENSERVE_SPEEDUPS") == "1":
            raise
        pytest.skip(f"the compiled parser is not built, or not wanted ({error})")
    return _head.parse_request_head


def tell(parse: Parse, raw: bytes | bytearray, base: dict[str, Any], limits: Limits, seen: int, names: Names) -> Any:
    """Return all that *parse* tells of *raw*; of a head, with the claim that was dropped last."""
    names.last_claim = ""
    try:
        head = parse(raw, base, limits, seen, names)
    except ProtocolError as error:
        return type(error), error.status, str(error)
    if head is None:
        return None
    # 1 equals True, so types are compared, too.
    facts = [getattr(head, field.name) for field in fields(head)]
    return facts, [type(fact) for fact in facts], names.last_claim
