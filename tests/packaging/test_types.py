"""The types beside a module keep up with it.

A compiled class has the attributes that its .pxd declares and no others, which
whoever runs plain Python code would not notice.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenserve.speedups import PACKAGE, find_sources

CLASS = re.compile(r"^cdef class (\w+)", re.MULTILINE)
ATTRIBUTES = re.compile(r"^    cdef (?!class)([^(\n]+)$", re.MULTILINE)

TYPED = [source for source in find_sources() if source.suffix == ".py"]


@pytest.mark.parametrize("source", [pytest.param(source, id=str(source.relative_to(PACKAGE))) for source in TYPED])
def test_every_attribute_of_a_compiled_class_has_its_type(source: Path) -> None:
    declared = dict(read_types(source.with_suffix(".pxd").read_text()))
    assigned = dict(read_assigned(source.read_text()))

    assert {} == {name: missing for name in declared if (missing := assigned.get(name, set()) - declared[name])}


def read_types(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each class of a .pxd with the attributes it declares."""
    _, *parts = CLASS.split(text)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        declarations = [declaration.partition("#")[0] for declaration in ATTRIBUTES.findall(body)]
        yield name, {one.split()[-1] for declaration in declarations for one in declaration.split(",")}


def read_assigned(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each class of a module with the attributes that its methods assign to themselves."""
    for found in ast.walk(ast.parse(text)):
        if isinstance(found, ast.ClassDef):
            targets = [node for node in ast.walk(found) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
            yield found.name, {node.attr for node in targets if isinstance(node.value, ast.Name) and node.value.id == "self"}
