"""The cases in corpus/: `NAME.http`, the bytes of a client, and beside it `NAME.json`, what must come of them.

clause      where it is written that this must come of them
outcome     accept, refuse, or incomplete (wait for more)
environ     accept: keys and their values; `absent`: keys that must not be there
head        accept: attributes of the RequestHead
content     accept: the decoded content, as latin-1
trailers    accept: names and values
status      refuse: the status of the answer
reason      refuse: a pattern that the message matches
limits      what differs from the default Limits
leniency    what is put up with; `used` says which of it the head needed
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from greenserve.protocol.leniency import STRICT, Leniency, LenientParser
from greenserve.protocol.limits import Limits
from tests.protocol.driver import Driver, drive

ROOT = Path(__file__).parent / "corpus"


class Case:
    def __init__(self, path: Path) -> None:
        expected: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
        self.name = str(path.relative_to(ROOT).with_suffix(""))
        self.raw = path.read_bytes()
        self.clause = expected.pop("clause")
        self.outcome = expected.pop("outcome")
        #: The limits that are not the usual ones.
        self.given_limits: dict[str, int | None] = expected.pop("limits", {})
        self.limits = Limits(**self.given_limits)
        self.leniency = Leniency(**expected.pop("leniency", {}))
        self.used = set(expected.pop("used", ()))
        self.expected = expected

    def drive(self, parse: Callable[..., Any], pieces: Iterable[bytes]) -> Driver:
        """Return a driver, as strict or lenient as the case asks for, that was fed *pieces*."""
        return drive(self.parser(parse), pieces, self.limits)

    def parser(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        self.noted: set[str] = set()
        return parse if self.leniency == STRICT else LenientParser(self.leniency, self.noted.add, parse)

    def check(self, driver: Driver) -> None:
        """Assert that *driver*, fed with this case, came to the outcome that is written down."""
        {"accept": self._check_accepted, "refuse": self._check_refused, "incomplete": self._check_waiting}[self.outcome](driver)
        assert self.used == self.noted

    def _check_accepted(self, driver: Driver) -> None:
        assert driver.refusal is None
        head, content, trailers = driver.requests[0]
        expected = self.expected
        assert expected.get("environ", {}) == {key: head.environ.get(key) for key in expected.get("environ", ())}
        assert [] == [key for key in expected.get("absent", ()) if key in head.environ]
        assert expected.get("head", {}) == {name: getattr(head, name) for name in expected.get("head", ())}
        assert expected.get("content", content.decode("latin-1")) == content.decode("latin-1")
        assert [tuple(trailer) for trailer in expected.get("trailers", trailers)] == trailers

    def _check_refused(self, driver: Driver) -> None:
        assert [] == driver.requests
        assert driver.refusal is not None
        assert self.expected["status"] == driver.refusal.status
        assert re.search(self.expected["reason"], str(driver.refusal))

    def _check_waiting(self, driver: Driver) -> None:
        assert driver.refusal is None
        assert [] == driver.requests


def read_corpus(*outcomes: str) -> list[Any]:
    """Return the cases with one of *outcomes*, or all, as pytest wants its parameters."""
    cases = [Case(path) for path in sorted(ROOT.rglob("*.http"))]
    return [pytest.param(case, id=case.name) for case in cases if not outcomes or case.outcome in outcomes]
