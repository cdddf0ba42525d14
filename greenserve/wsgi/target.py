"""What `MODULE:CALLABLE` on the command line means. Nothing of it is ever evaluated.

The spellings are gunicorn's: `shop`, `shop:app`, `shop:site.app`,
`shop:create_app()` and `shop:create_app("prod", debug=True)`.
"""

import ast
from pathlib import PurePath
from typing import Any, NamedTuple

from greenserve.errors import AppLoadError
from greenserve.wsgi.screen import compose_screen

DEFAULT_ATTRIBUTE = "application"

_FORMS = "A target is MODULE:CALLABLE, as in 'shop:app', or 'shop:create_app(\"production\")' with literal arguments."


class Call(NamedTuple):
    """The arguments of a factory, all of them literals."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


class Target(NamedTuple):
    #: As it was written.
    text: str
    module: str
    #: The names to follow from the module on: `site.app` has two.
    attributes: tuple[str, ...]
    #: None if the attribute is the application itself.
    call: Call | None

    @property
    def dotted(self) -> str:
        return ".".join(self.attributes)


def parse_target(text: str) -> Target:
    """Return what *text* names. Raises AppLoadError if it names nothing that could be loaded."""
    module, colon, attribute = (part.strip() for part in text.partition(":"))
    if "/" in module:
        raise refuse(text, "its module half is a path", advise_module_for(module, attribute))
    if not all(module.split(".")):
        raise refuse(text, f"its module half {module!r} is not the name of a module", _FORMS)
    attributes, call = parse_attribute(text, attribute if colon else DEFAULT_ATTRIBUTE)
    return Target(text, module, attributes, call)


def parse_attribute(text: str, attribute: str) -> tuple[tuple[str, ...], Call | None]:
    try:
        expression = ast.parse(attribute, mode="eval").body
        if isinstance(expression, ast.Call):
            return parse_names(expression.func), parse_call(expression)
        return parse_names(expression), None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        reason = error.args[0] if type(error) is ValueError else "it is not a name, nor a call with literal arguments"
        raise refuse(text, f"its attribute half {attribute!r} cannot be read ({reason})", _FORMS) from error


def parse_names(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*parse_names(node.value), node.attr)
    if isinstance(node, ast.Name):
        return (node.id,)
    raise ValueError("it is neither a name nor a call of one")


def parse_call(node: ast.Call) -> Call:
    return Call(
        tuple(parse_literal(argument) for argument in node.args),
        {parse_keyword(keyword): parse_literal(keyword.value) for keyword in node.keywords},
    )


def parse_keyword(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("** cannot be used here")
    return keyword.arg


def parse_literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise ValueError(f"the argument {ast.unparse(node)} is not a literal") from error


def advise_module_for(path: str, attribute: str) -> str:
    """Return the advice for somebody who named the file in place of the module."""
    file = PurePath(path).with_suffix("")
    suffix = f":{attribute}" if attribute else ""
    if file.is_absolute() or ".." in file.parts:
        return f"Name the module, and where it is: --chdir {file.parent} {file.name}{suffix}"
    return f"Name the module, not its file: use '{'.'.join(file.parts)}{suffix}'."


def refuse(text: str, fault: str, advice: str) -> AppLoadError:
    return AppLoadError(compose_screen(text, fault, advice=[advice]))
