"""Write settings.md and gunicorn.md from the tables of settings: `python docs/reference/generate.py`."""

from itertools import groupby
from pathlib import Path

from greenserve.config import SETTINGS
from greenserve.flags import TARGET, negations
from greenserve.gunicorn import FOREIGN, SAME
from greenserve.setting import Setting

HERE = Path(__file__).parent

INTRODUCTION = """\
# Settings

This page is generated from `greenserve/config/` by `docs/reference/generate.py`.

## Where values come from

Each source overrules those above it.

| source | how a setting is written there |
|---|---|
| defaults | as below |
| `PORT`, `WEB_CONCURRENCY` | `PORT=8000` is `bind = "0.0.0.0:8000"`, `WEB_CONCURRENCY=4` is `workers = 4` |
| `FORWARDED_ALLOW_IPS`, `SCRIPT_NAME` | are `forwarded_allow_ips` and `root_path` |
| `pyproject.toml` | `workers = 4` in the table `[tool.greenserve]` |
| `greenserve.toml` | `workers = 4` |
| `greenserve.conf.py`, or the file that `-c` names | `workers = 4`, in Python or, if the file ends in `.toml`, in TOML |
| environment | `GREENSERVE_WORKERS=4` |
| `GREENSERVE_CMD_ARGS` | `--workers 4`, split as a shell does |
| flags | `--workers 4` |

`greenserve --print-config` shows every value with the source it comes from, and `--check-config` also loads the application.
A list in one source replaces the list of another; they are not joined.
An empty variable counts as not set.
An unknown key, variable or flag is refused, and so is a value that is not of its kind, even if another source overrules it.
In a file whose name or folder says that it is gunicorn's, such as `gunicorn.conf.py`, unknown names are ignored.
There, and as flags, [gunicorn's settings](gunicorn.md) are passed over with a warning.

The files are looked for in the directory the command is started in, or in that of `--chdir` or `GREENSERVE_CHDIR`.
`-c` takes a path, `file:PATH`, or `python:MODULE` for a module that can be imported from there.
It stands in place of `greenserve.conf.py`; `pyproject.toml` and `greenserve.toml` are still read.
It can also stand in `GREENSERVE_CONFIG` or `GREENSERVE_CMD_ARGS`, but not in a file.
Relative paths in any setting start in `chdir`.

A Python file is executed by the master process, again at each reload.
It must not import gevent, or anything that does: workers are patched before anything else, and the master is not.
Only `gevent.monkey` may be imported by the file itself, and patches nothing there.
Names of its own begin with an underscore or are not lower-case.
Modules, classes, and functions that are no [hook](hooks.md) are ignored.

Sizes are in bytes, or have `k`, `m` or `g` behind them for powers of 1024.
"""


def settings_page() -> str:
    groups = groupby(SETTINGS.values(), key=lambda setting: setting.group)
    sections = [f"## {group}\n\n" + "\n".join(map(section, members)) for group, members in groups]
    return "\n".join([INTRODUCTION, *sections])


def section(setting: Setting) -> str:
    unit = f" {setting.unit}" if setting.unit else ""
    return f"""\
### `{setting.name}`

{one_sentence_per_line(setting.help)}

{ways_of(setting)}
- Value: {value_of(setting)}
- Default: `{setting.kind.show(setting.default)}`{unit}
"""


def ways_of(setting: Setting) -> str:
    if not setting.typed:
        return "- In a Python configuration file only"
    return f"- Flags: {', '.join(f'`{flag}`' for flag in flags_of(setting))}\n- Variable: `{setting.variable}`"


def value_of(setting: Setting) -> str:
    if not setting.repeatable:
        return setting.kind.expects
    between = "with a comma between them" if setting.kind.separator == "," else "each on a line of its own"
    return f"{setting.kind.expects}; several as a list or, in one text, {between}"


def one_sentence_per_line(text: str) -> str:
    return text.replace(". ", ".\n")


def flags_of(setting: Setting) -> list[str]:
    return [*setting.flags, *negations(setting)] or [TARGET]


GUNICORN = """\
# gunicorn's settings

This page is generated from `greenserve/gunicorn.py` by `docs/reference/generate.py`.
[From gunicorn](../how-to/from-gunicorn.md) says how to move.

Settings that greenserve has under the same name mean the same, but for what is said beside them.
Of the others, some are *not needed*: nothing is lost without them, so nothing is said.
Some are *passed over*, and a warning in the error log says so.
Some are *refused*, because the server would be another than was asked for: it does not start.
A value that is gunicorn's default anyway is always fine.

| setting | here | what to know |
|---|---|---|
"""

WORKER_CLASSES = "; `gevent` needs no warning, and those for ASGI are refused"


def gunicorn_page() -> str:
    return GUNICORN + "".join(map(gunicorn_row, sorted({*SAME, *FOREIGN})))


def gunicorn_row(name: str) -> str:
    if name in SETTINGS:
        return f"| `{name}` | [the same](settings.md#{name}) | {SAME.get(name, '')} |\n"
    foreign = FOREIGN[name]
    return f"| `{name}` | {foreign.treatment.value} | {foreign.advice}{WORKER_CLASSES if name == 'worker_class' else ''} |\n"


PAGES = {"settings.md": settings_page, "gunicorn.md": gunicorn_page}

if __name__ == "__main__":
    for page, write in PAGES.items():
        (HERE / page).write_text(write(), encoding="utf-8")
