"""The command line: a parser made from the table of settings.

Finds out what was written, and not whether it is a good value: that is the
same question for every source. The application's target is the one argument.
"""

import argparse
import platform
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from greenserve import __version__
from greenserve.config import SETTINGS
from greenserve.errors import ConfigError
from greenserve.gunicorn import FOREIGN
from greenserve.kinds import suggest
from greenserve.setting import Setting
from greenserve.speedups import describe_form

TARGET = "MODULE:CALLABLE"


class Flag(NamedTuple):
    """What was written for one setting. `option` is empty for the argument."""

    name: str
    option: str
    values: list[str]


class CommandLine(NamedTuple):
    flags: list[Flag]
    #: Those of gunicorn's that we do not have.
    foreign: list[Flag]
    #: What to do instead of serving: "print-config", "check-config" or None.
    action: str | None


def parse_command_line(argv: Sequence[str]) -> CommandLine:
    """Return what *argv* says; print and raise SystemExit(0) for --help and --version.

    Raises ConfigError for an option that does not exist or lacks its value.
    """
    parser = build_parser()
    found, strangers = parser.parse_known_args(list(argv), argparse.Namespace(flags={}, foreign={}))
    if strangers:
        refuse_stranger(parser, strangers)
    return CommandLine(list(found.flags.values()), list(found.foreign.values()), found.action)


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="greenserve",
        usage=f"greenserve [options] {TARGET}\n       greenserve migrate FILE",
        description="Serve a WSGI application: one greenlet per connection, one hub per core.",
        epilog="The default and the variable of each setting stand in brackets; files use the variable's name in "
        "lower case without GREENSERVE_, in ./greenserve.toml, ./greenserve.conf.py or [tool.greenserve] of ./pyproject.toml. "
        "`greenserve migrate gunicorn.conf.py` prints a file of gunicorn's as greenserve.toml.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=100),
        allow_abbrev=False,
    )
    groups: dict[str, Any] = {}
    for setting in SETTINGS.values():
        if not setting.typed:
            continue
        group = groups.get(setting.group) or groups.setdefault(setting.group, parser.add_argument_group(setting.group))
        add_setting(group, setting)
    add_actions(parser)
    add_foreign(parser)
    return parser


def add_setting(group: Any, setting: Setting) -> None:
    about = {"action": Note, "default": argparse.SUPPRESS, "metavar": setting.kind.metavar, "help": help_of(setting)}
    if not setting.flags:
        group.add_argument(setting.name, nargs="?", **about)
    elif setting.switch:
        group.add_argument(*setting.flags, *negations(setting), dest=setting.name, nargs=0, **about)
    else:
        group.add_argument(*setting.flags, dest=setting.name, **about)


def add_actions(parser: argparse.ArgumentParser) -> None:
    version = f"greenserve {__version__} ({describe_form()}, {platform.python_implementation()} {platform.python_version()})"
    for option, help in (
        ("print-config", "Show every value and where it comes from, and exit."),
        ("check-config", "Read the configuration, load the application, and exit."),
    ):
        parser.add_argument(f"--{option}", dest="action", action="store_const", const=option, help=help)
    parser.add_argument("--version", action="version", version=version, help="Show the version, and exit.")


def add_foreign(parser: argparse.ArgumentParser) -> None:
    """Understand gunicorn's flags, so that a command line can be taken over; --help does not offer them."""
    for name, foreign in FOREIGN.items():
        if name not in SETTINGS and foreign.flags:
            arity = 0 if foreign.switch else None
            parser.add_argument(*foreign.flags.split(), dest=name, nargs=arity, action=NoteForeign, help=argparse.SUPPRESS)


def help_of(setting: Setting) -> str:
    default = setting.kind.show(setting.default)
    unit = f" {setting.unit}" if setting.unit else ""
    return f"{setting.help} [{default}{unit}; {setting.variable}]".replace("%", "%%")


def negations(setting: Setting) -> list[str]:
    """Return the flags that switch *setting* off; a short flag has none."""
    return [f"--no-{flag[2:]}" for flag in setting.flags if flag.startswith("--")] if setting.switch else []


def refuse_stranger(parser: argparse.ArgumentParser, strangers: list[str]) -> NoReturn:
    """Name the first option that does not exist; the words after it are taken for arguments and mislead."""
    option = next((word.partition("=")[0] for word in strangers if word.startswith("-")), None)
    if option is None:
        raise ConfigError(f"one {TARGET} is enough, but there is also {strangers[0]!r}")
    known = [known for action in parser._actions for known in action.option_strings]
    raise ConfigError(f"{option}: no such option{suggest(option, known)}")


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message.removeprefix("argument "))


class Note(argparse.Action):
    """Note what was written and under which spelling; repeating adds to a list and replaces anything else."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        setting, option = SETTINGS[self.dest], option_string or ""
        if setting.switch:
            values = "false" if option.startswith("--no-") else "true"
        earlier = namespace.flags[self.dest].values if setting.repeatable and self.dest in namespace.flags else []
        namespace.flags[self.dest] = Flag(self.dest, option, [*earlier, values])


class NoteForeign(argparse.Action):
    """Note a flag of gunicorn's; one without a value is as good as true."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        namespace.foreign[self.dest] = Flag(self.dest, option_string or "", [values or "true"])
