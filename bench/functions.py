"""Where the instructions go: what callgrind has counted for each C function, as a table.

Only compiled functions have a name here. Python code that is not compiled
shows as the interpreter that runs it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class Function(NamedTuple):
    library: str
    name: str


class Cost(NamedTuple):
    """Instructions of the function's own, and with all that it has called; how often it was called."""

    own: float = 0
    inclusive: float = 0
    calls: float = 0

    def plus(self, other: "Cost") -> "Cost":
        return Cost(*(mine + others for mine, others in zip(self, other, strict=True)))


Profile = dict[Function, Cost]


class Reader:
    """Reads one dump of callgrind's; "Callgrind Format Specification" in valgrind's manual has the grammar.

    A name stands in full once, `fn=(7) recv`, and then as its number, `fn=(7)`.
    """

    def __init__(self) -> None:
        self.profile: Profile = {}
        self._names: dict[tuple[str, str], str] = {}
        self._library = self._called_library = self._name = self._called = ""
        self._calls: int | None = None

    def read(self, lines: Iterable[str]) -> Profile:
        for line in lines:
            key, is_named, value = line.rstrip("\n").partition("=")
            if is_named:
                self._read_name(key, value)
            elif line[:1] in tuple("0123456789+-*"):
                self._read_cost(int(line.split()[1]))
        return self.profile

    def _read_name(self, key: str, value: str) -> None:
        match key:
            case "ob":
                self._library = self._resolve("ob", value)
            case "fn":
                self._name, self._called_library = self._resolve("fn", value), self._library
            case "cob":
                self._called_library = self._resolve("ob", value)
            case "cfn":
                self._called = self._resolve("fn", value)
            case "calls":
                self._calls = int(value.split()[0])

    def _resolve(self, kind: str, value: str) -> str:
        number, _, name = value.partition(" ")
        if name:
            self._names[kind, number] = name
        return self._names[kind, number]

    def _read_cost(self, cost: int) -> None:
        """Take the cost of a line: of the function's own, or, right after `calls=`, of the calls."""
        function = Function(self._library, self._name)
        # A call that began before the dump counts as none.
        if self._calls is not None:
            self._add(function, Cost(inclusive=cost))
            self._add(Function(self._called_library, self._called), Cost(calls=self._calls))
            self._calls, self._called_library = None, self._library
        else:
            self._add(function, Cost(own=cost, inclusive=cost))

    def _add(self, function: Function, cost: Cost) -> None:
        self.profile[function] = self.profile.get(function, Cost()).plus(cost)


def read_profile(path: Path) -> Profile:
    with path.open(errors="replace") as lines:
        return Reader().read(lines)


def difference(more: Profile, less: Profile, number: int) -> Profile:
    """Return what each function costs for one request, if *more* has *number* more of them than *less*."""
    functions = {**less, **more}
    pairs = ((function, more.get(function, Cost()), less.get(function, Cost())) for function in functions)
    return {function: Cost(*((a - b) / number for a, b in zip(one, other, strict=True))) for function, one, other in pairs}


def find_within(profile: Profile, folder: str) -> Profile:
    """Return the functions of the libraries in *folder*."""
    return {function: cost for function, cost in profile.items() if function.library.startswith(folder)}


def to_lines(profile: Mapping[Function, Cost], total: float, top: int) -> Iterator[str]:
    """Yield a table of the *top* functions that cost most by themselves; shares are of *total*."""
    yield f"{'own':>10} {'%':>5} {'inclusive':>10} {'calls':>8}  function"
    for function, cost in sorted(profile.items(), key=lambda item: -item[1].own)[:top]:
        figures = f"{cost.own:10,.0f} {cost.own / total:5.1%} {cost.inclusive:10,.0f} {cost.calls:8.2f}"
        yield f"{figures}  {function.name} [{Path(function.library).name.partition('.')[0]}]"
