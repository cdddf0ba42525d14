from typing import Any

from greenserve.protocol.fields import Names
from greenserve.protocol.limits import Limits
from greenserve.protocol.request import RequestHead

def parse_request_head(
    buffer: bytes | bytearray, base_environ: dict[str, Any], limits: Limits, seen: int = 0, names: Names = ...
) -> RequestHead | None: ...
