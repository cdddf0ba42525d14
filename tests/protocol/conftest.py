"""The parser under test: every test that asks for `parse` runs once for each twin."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.protocol.twins import load_twin


@pytest.fixture(params=["python", "compiled"])
def parse(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return load_twin(request.param)


@pytest.fixture
def compiled() -> Callable[..., Any]:
    """For what only the compiled twin could do wrong."""
    return load_twin("compiled")
