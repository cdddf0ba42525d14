"""The reference pages name what the code has, all of it and nothing else."""

import re

from greenserve import errors
from greenserve.log.line import NAMED, NUMBERS, TEXTS
from greenserve.master.signals import COMMANDS
from greenserve.protocol.head import parse_request_head
from greenserve.protocol.limits import Limits
from greenserve.wsgi.environ import ErrorStream, connection_environ, listener_environ
from tests.docs.pages import ROOT, read_page


def first_cells(page: str, section: str) -> set[str]:
    """Return every `name` in the first cells of the section's table."""
    rows = re.findall(r"^\| (.*?) \|", read_page(page, section), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(.+?)`", row)}


def test_every_signal_to_the_master_is_named() -> None:
    handled = {number.name.removeprefix("SIG") for number in COMMANDS}

    assert handled == first_cells("docs/reference/signals.md", "To the master")


def test_every_exit_code_is_named() -> None:
    codes = {str(error.exit_code) for error in vars(errors).values() if hasattr(error, "exit_code")}

    named = set(re.findall(r"^\| (\d+) \|", read_page("docs/reference/exit-codes.md"), re.MULTILINE))

    assert codes | {"0"} == named


def test_every_atom_is_named() -> None:
    atoms = {*TEXTS, *NUMBERS, *(f"{{name}}{kind}" for kind in NAMED)}

    assert atoms == first_cells("docs/reference/access-log.md", "Atoms")


def test_every_key_of_environ_is_named() -> None:
    base = listener_environ(("127.0.0.1", 8000), multiprocess=True, errors=ErrorStream(print))
    head = parse_request_head(b"GET /?a HTTP/1.0\r\n\r\n", connection_environ(base, None), Limits())
    assert head is not None

    # The connection and the exchange add one each.
    assert {*head.environ, "wsgi.input", "wsgi.early_hints"} == first_cells("docs/reference/environ.md", "Always")


def test_every_part_stands_in_the_architecture() -> None:
    parts = {path.stem for path in (ROOT / "greenserve").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}

    named = first_cells("docs/explanation/architecture.md", "The tree")

    assert {part for part in parts if not part.startswith("_")} == named
