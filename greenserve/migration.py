"""`greenserve migrate gunicorn.conf.py`: the same configuration as TOML, for a person to read and keep.

What cannot be said in TOML becomes a comment that says where it belongs. The
file is executed, as gunicorn does, so a value that it computes is written as
it came out here, with the expression above it.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from greenserve.config import SETTINGS
from greenserve.files import Entry, read_python, read_text
from greenserve.gunicorn import DEFAULTS, FOREIGN, SAME, Treatment, judge
from greenserve.kinds import Refused, quoted


def migrate(path: Path) -> str:
    """Return the text of a greenserve.toml. Raises ConfigError if the file cannot be read or fails."""
    label = str(path)
    entries = read_python(path.absolute(), label, path.absolute().parent)
    computed = find_computed(read_text(path, label))
    lines = [f"# From {path.name}, by `greenserve migrate`.", ""]
    for entry in entries:
        lines += translate(entry, computed)
    return "\n".join([*lines, *mention_hooks(entries), *mention_defaults(entries)]) + "\n"


def translate(entry: Entry, computed: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines for one name of the file; none for what gunicorn ignores too."""
    if entry.key in SETTINGS:
        if SETTINGS[entry.key].typed and entry.value is not None:
            yield from translate_setting(entry, computed.get(entry.key))
    elif entry.key in FOREIGN:
        treatment, advice = judge(entry.key, entry.value)
        if treatment is not Treatment.NEEDLESS:
            yield f"# {entry.key} = {comment(quoted(entry.value))} is gunicorn's: {advice}."


def translate_setting(entry: Entry, expression: str | None) -> Iterator[str]:
    try:
        SETTINGS[entry.key].kind.read(entry.value)
        line = f"{entry.key} = {spell(entry.value)}"
    except (Refused, TypeError) as error:
        yield f"# {entry.key} = {comment(quoted(entry.value))} cannot be taken over: it {comment(str(error))}."
        return
    if expression is not None:
        yield f"# Computed by {comment(expression)}; {SETTINGS[entry.key].variable} in the environment overrules it."
    if entry.key in ("timeout", "workers"):
        yield f"# {SAME[entry.key]}"
    yield line


def mention_hooks(entries: list[Entry]) -> Iterator[str]:
    hooks = [entry for entry in entries if entry.key in SETTINGS and not SETTINGS[entry.key].typed and callable(entry.value)]
    if hooks:
        yield ""
        yield "# Functions stay in Python: move these, with what they use, to greenserve.conf.py beside this file."
        yield from (f"#   {hook.key} ({hook.place})" for hook in hooks)


def mention_defaults(entries: list[Entry]) -> Iterator[str]:
    """Yield what the file left to gunicorn and is otherwise here, ready to be uncommented."""
    given = {entry.key for entry in entries if entry.value is not None}
    yield ""
    yield "# What gunicorn would have used, where greenserve's default is another:"
    yield from (f"# {name} = {spell(value)}  # {SAME[name]}" for name, value in DEFAULTS.items() if name not in given)


def find_computed(source: str) -> dict[str, str]:
    """Return the expression that each name last got, where that is more than a literal."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            expression = None if is_literal(node.value) else " ".join(ast.unparse(node.value).split())
            found.update(dict.fromkeys(names, expression or ""))
    return {name: expression for name, expression in found.items() if expression}


def is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def spell(value: object) -> str:
    """Return *value* in TOML. Raises TypeError for what TOML has no word for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Also what the enumerations of the standard library call their numbers.
        return str(int(value))
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple, set)):
        return f"[{', '.join(map(spell, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{spell(str(key))} = {spell(item)}' for key, item in value.items())}}}"
    raise TypeError("has no word in TOML")


def comment(text: str) -> str:
    """Return *text* without what would end a comment."""
    return "".join(character if character.isprintable() else "?" for character in text)
