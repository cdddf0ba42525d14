"""The plainest application, and curl."""

import subprocess
from collections.abc import Callable

from tests.examples.conftest import EXAMPLES
from tests.support.server import RunningServer


def test_hello_answers_curl(start_server: Callable[..., RunningServer]) -> None:
    server = start_server("hello:application", cwd=EXAMPLES)

    answer = subprocess.run(["curl", "-sS", "--fail", server.url], capture_output=True, text=True, check=True, timeout=30)

    assert "Hello from greenserve\n" == answer.stdout
