"""The kind of value that a hook is."""

from collections.abc import Callable
from typing import Any

from greenserve.hooks.call import accepts
from greenserve.kinds import Kind

Function = Callable[..., Any]


class Hook(Kind[Function | None]):
    """A function of a Python configuration file, or none. The last *optional* arguments may be left out."""

    metavar = "FUNCTION"
    typed = False

    def __init__(self, signature: str, optional: int = 0) -> None:
        most = signature.count(",") + 1
        self.expects = f"a function {signature} of a Python configuration file"
        self.counts = range(most, most - optional - 1, -1)

    def parse(self, given: object) -> Function | None:
        if given is None:
            return None
        if not callable(given) or not any(accepts(given, count) for count in self.counts):
            raise TypeError
        return given

    def show(self, value: Function | None) -> str:
        return "none" if value is None else f"{getattr(value, '__qualname__', value)}()"
