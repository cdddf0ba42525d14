"""The parser under test: every test that asks for `parse` runs once for each twin."""

from collections.abc import Callable
from typing import Any

import pytest

from greenserve.protocol import head

TWINS = {"python": head.parse_request_head}


@pytest.fixture(params=sorted(TWINS))
def parse(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return TWINS[request.param]
