"""The file of all runs. A scenario stands in it as a whole, with when and where it was measured.

So the table can be made scenario by scenario, whenever the machine is quiet.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.match import Run


class Played(NamedTuple):
    """All rounds of one scenario."""

    circumstances: dict[str, Any]
    runs: list[Run]


Results = dict[str, Played]


def read_results(path: Path) -> Results:
    """Return the results by scenario; none if there is no file."""
    if not path.exists():
        return {}
    scenarios = json.loads(path.read_text(encoding="utf-8"))
    return {name: Played(each["circumstances"], [Run(name, **run) for run in each["runs"]]) for name, each in scenarios.items()}


def write_results(path: Path, results: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(results), encoding="utf-8")


def to_json(results: Results) -> str:
    """Return JSON with a line for each run, so that people and diffs can read it."""
    return "{\n" + ",\n".join(f"{quote(name)}: {played_to_json(played)}" for name, played in results.items()) + "\n}\n"


def played_to_json(played: Played) -> str:
    runs = ",\n".join("  " + quote(run_to_values(run)) for run in played.runs)
    return f'{{"circumstances": {quote(played.circumstances)}, "runs": [\n{runs}\n ]}}'


def run_to_values(run: Run) -> dict[str, Any]:
    """Return what a run is besides its defaults; more than six digits are noise."""
    values = run._asdict()
    kept = {name: value for name, value in values.items() if name != "scenario" and value not in (None, "")}
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in kept.items()}


def quote(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def all_runs(results: Results) -> list[Run]:
    return [run for played in results.values() for run in played.runs]


def join_circumstances(results: Results) -> dict[str, str]:
    """Return the circumstances of all scenarios, each that differs with all its values."""
    return {name: join_values(name, [played.circumstances for played in results.values()]) for name in all_names(results)}


def all_names(results: Results) -> Iterable[str]:
    return dict.fromkeys(name for played in results.values() for name in played.circumstances)


def join_values(name: str, circumstances: Sequence[Mapping[str, Any]]) -> str:
    values = sorted({each[name] for each in circumstances if name in each})
    # Times and averages have a first and a last.
    is_range = name in ("date", "load average") and len(values) > 1
    return f"{values[0]} – {values[-1]}" if is_range else "; ".join(map(str, values))
