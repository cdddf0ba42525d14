"""Where values come from, and which of them wins.

From low to high: defaults, PORT and other variables of platforms, pyproject.toml,
greenserve.toml, greenserve.conf.py or the file that -c names, GREENSERVE_<NAME>,
GREENSERVE_CMD_ARGS, flags. A source only tells what it was given and how to name
the place; one function reads every value, so all refusals are alike. Nothing
here changes the process, but a Python file may.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from greenserve.config import SETTINGS, Config
from greenserve.errors import ConfigError
from greenserve.files import Entry, read_python, read_python_module, read_toml
from greenserve.flags import CommandLine, Flag, parse_command_line
from greenserve.gunicorn import FOREIGN, Treatment, is_gunicorns, judge
from greenserve.kinds import Refused, Whole, printable, quoted, shortened, suggest

#: Variables that begin like a setting's and are none.
OTHER_VARIABLES = {"GREENSERVE_CMD_ARGS", "GREENSERVE_SPEEDUPS", "GREENSERVE_UPGRADE"}

#: Variables that other servers read too, and the settings they stand for. PORT is half a setting, and read apart.
PLATFORM_VARIABLES = {"WEB_CONCURRENCY": "workers", "FORWARDED_ALLOW_IPS": "forwarded_allow_ips", "SCRIPT_NAME": "root_path"}

DEFAULT = "default"


class Given(NamedTuple):
    """What one source says about one setting, not yet read. A refusal begins with `lead` and `shown`."""

    name: str
    value: object
    origin: str
    lead: str
    shown: str


class Loaded(NamedTuple):
    config: Config
    #: For each setting the place its value comes from, as in "flag --workers", or "default".
    origins: dict[str, str]
    #: What to do instead of serving: "print-config", "check-config" or None.
    action: str | None
    #: Sentences for the log, about what was passed over.
    notes: Sequence[str] = ()

    def is_default(self, name: str) -> bool:
        return self.origins[name] == DEFAULT


def load_config(argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Loaded:
    """Return what is in force for a server started in *cwd* with these arguments and variables.

    Files are looked for in *cwd*, or where --chdir or GREENSERVE_CHDIR leads.
    Raises ConfigError, in one sentence, for the first thing that is wrong;
    SystemExit(0) when --help or --version was all that was asked.
    """
    command_line = parse_command_line(argv)
    inherited = parse_command_args(environ)
    notes = [
        *notes_on_environ(environ),
        *notes_on_flags(inherited.foreign, "GREENSERVE_CMD_ARGS: "),
        *notes_on_flags(command_line.foreign),
    ]
    above_files = [
        *given_by_variables(environ),
        *given_by_flags(inherited.flags, "GREENSERVE_CMD_ARGS"),
        *given_by_flags(command_line.flags),
    ]
    values, _ = settle(above_files)
    files = given_by_files(resolve_directory(above_files, cwd), values.get("config"), notes)
    given = [*given_by_platform(environ), *files, *above_files]
    values, origins = settle(given)
    config = anchor_paths(values, resolve_directory(given, cwd))
    action = command_line.action or inherited.action
    if not config.wsgi_app and action != "print-config":
        raise ConfigError("there is no application to serve: name it, as in `greenserve app:app`, or set wsgi_app")
    contradiction = config.find_contradiction()
    if contradiction and action != "print-config":
        raise ConfigError(contradiction)
    return Loaded(config, origins, action, notes)


def describe_config(loaded: Loaded) -> str:
    """Return every value and where it comes from, a line each, with secrets masked."""
    shown = {name: setting.kind.show(getattr(loaded.config, name)) for name, setting in SETTINGS.items()}
    if loaded.config.workers == "auto":
        shown["workers"] = f"auto ({loaded.config.resolved_workers})"
    name_width = max(map(len, shown))
    return "\n".join(f"{name:{name_width}} = {value:24} ({loaded.origins[name]})" for name, value in shown.items())


# From what is given to what is in force.


def settle(given: Iterable[Given]) -> tuple[dict[str, Any], dict[str, str]]:
    """Read all that is given, from low to high, also what is overruled; return the values and their origins."""
    values: dict[str, Any] = {}
    origins = dict.fromkeys(SETTINGS, DEFAULT)
    for item in given:
        values[item.name] = read(item)
        origins[item.name] = item.origin
    return values, origins


def read(item: Given) -> Any:
    try:
        return SETTINGS[item.name].kind.read(item.value)
    except Refused as refused:
        raise refusal(item, str(refused)) from None


def refusal(item: Given, reason: str) -> ConfigError:
    return ConfigError(f"{item.lead}{SETTINGS[item.name].kind.conceal(shortened(item.shown))} {reason}")


def resolve_directory(given: Iterable[Given], cwd: Path) -> Path:
    """Return the directory that the highest chdir leads to from *cwd*, or *cwd*."""
    highest = [item for item in given if item.name == "chdir"][-1:]
    for item in highest:
        # Not resolved: "current" may be a symbolic link that the next deploy moves.
        directory = Path(SETTINGS["chdir"].kind.anchor(read(item), str(cwd.absolute())))
        if not directory.is_dir():
            raise refusal(item, "is not a directory")
        return directory
    return cwd.absolute()


def anchor_paths(values: Mapping[str, Any], directory: Path) -> Config:
    """Return the Config with absolute paths: master and workers do not stand in the same directory."""
    anchored = {name: SETTINGS[name].kind.anchor(value, str(directory)) for name, value in values.items()}
    return Config(**{**anchored, "chdir": str(directory)})


# Files.


def given_by_files(directory: Path, chosen: str | None, notes: list[str]) -> Iterator[Given]:
    """What the files in *directory* say; *chosen* stands in place of greenserve.conf.py."""
    for entry in read_files(directory, chosen):
        if entry.key in FOREIGN and entry.key not in SETTINGS:
            notes += notes_on_entry(entry)
            continue
        if is_machinery(entry):
            continue
        if entry.key not in SETTINGS:
            raise ConfigError(f"{entry.place}: {entry.key} is no setting{suggest(entry.key, SETTINGS)}")
        if entry.key == "config":
            raise ConfigError(f"{entry.place}: config names a file, and so cannot stand in one")
        yield Given(entry.key, entry.value, entry.place, f"{entry.place}: {entry.key} = ", quoted(entry.value))


def is_machinery(entry: Entry) -> bool:
    """Tell whether the entry is no setting and not meant to be one.

    gunicorn ignores every name that it does not know, so files written for it
    are full of them; in ours such a name is a slip.
    """
    if entry.key in SETTINGS:
        # gunicorn's word for its own default, which some of our settings have no word for.
        unset = entry.value is None and SETTINGS[entry.key].default is not None
        return (callable(entry.value) and SETTINGS[entry.key].typed) or (unset and is_gunicorns(entry.place))
    return callable(entry.value) or is_gunicorns(entry.place)


def read_files(directory: Path, chosen: str | None) -> Iterator[Entry]:
    for name in ("pyproject.toml", "greenserve.toml"):
        if (directory / name).exists():
            yield from read_file(directory, name)
    if chosen is not None or (directory / "greenserve.conf.py").exists():
        yield from read_file(directory, chosen or "greenserve.conf.py")


def read_file(directory: Path, name: str) -> list[Entry]:
    """Read what -c may name: FILE.toml, another FILE, which is Python, file:FILE or python:MODULE."""
    if name.startswith("python:"):
        return read_python_module(name.removeprefix("python:"), name, directory)
    name = name.removeprefix("file:")
    path = directory / name
    if path.suffix == ".toml":
        return read_toml(path, name, ("tool", "greenserve") if path.name == "pyproject.toml" else ())
    return read_python(path, name, directory)


# What is gunicorn's and not ours.


def notes_on_entry(entry: Entry) -> Iterator[str]:
    """Raises ConfigError for what cannot be passed over; in a file of ours nothing can."""
    if not is_gunicorns(entry.place):
        raise ConfigError(f"{entry.place}: {entry.key} is a setting of gunicorn's: {judge(entry.key, entry.value)[1]}")
    yield from notes_on(entry.key, entry.value, f"{entry.place}: {entry.key}")


def notes_on_flags(flags: Iterable[Flag], lead: str = "") -> Iterator[str]:
    for name, option, values in flags:
        yield from notes_on(name, values[-1], f"{lead}{option}")


def notes_on(name: str, value: object, shown: str) -> Iterator[str]:
    treatment, advice = judge(name, value)
    if treatment is Treatment.REFUSED:
        raise ConfigError(f"{shown} is gunicorn's, and not to be had here: {advice}")
    if treatment is Treatment.PASSED_OVER:
        yield f"{shown} is gunicorn's, and passed over: {advice}"


def notes_on_environ(environ: Mapping[str, str]) -> Iterator[str]:
    if environ.get("GUNICORN_CMD_ARGS"):
        yield "GUNICORN_CMD_ARGS is set, and not read: GREENSERVE_CMD_ARGS is"


# The environment and the command line.


def given_by_platform(environ: Mapping[str, str]) -> Iterator[Given]:
    """PORT and others, with which a platform replaces the defaults of whatever it runs."""
    if port := environ.get("PORT"):
        item = Given("bind", f"0.0.0.0:{port}", "variable PORT", "PORT=", printable(port))
        try:
            Whole(0, 65535).read(port)
        except Refused as refused:
            raise refusal(item, str(refused)) from None
        yield item
    for variable, name in PLATFORM_VARIABLES.items():
        if value := environ.get(variable):
            yield Given(name, value, f"variable {variable}", f"{variable}=", printable(value))


def given_by_variables(environ: Mapping[str, str]) -> Iterator[Given]:
    """GREENSERVE_<NAME>; an empty one counts as not set, as compose files and shells leave them."""
    names = {setting.variable: setting.name for setting in SETTINGS.values()}
    for variable, value in environ.items():
        if variable in names and value:
            yield Given(names[variable], value, f"variable {variable}", f"{variable}=", printable(value))
        elif variable.startswith("GREENSERVE_") and not known_elsewhere(variable, value) and variable not in names:
            raise ConfigError(f"{variable}: no such variable{suggest(variable, names)}")


def known_elsewhere(variable: str, value: str) -> bool:
    """Tell whether the variable is none of a setting, and nobody's mistake.

    Kubernetes describes a service named greenserve to every pod beside it:
    GREENSERVE_SERVICE_HOST, GREENSERVE_PORT=tcp://10.0.0.1:80 and so on.
    """
    if variable.startswith(("GREENSERVE_SERVICE_", "GREENSERVE_PORT_")):
        return True
    return variable in OTHER_VARIABLES or (variable == "GREENSERVE_PORT" and "://" in value)


def parse_command_args(environ: Mapping[str, str]) -> CommandLine:
    try:
        return parse_command_line(shlex.split(environ.get("GREENSERVE_CMD_ARGS", "")))
    except ValueError as error:
        raise ConfigError(f"GREENSERVE_CMD_ARGS cannot be split like a command line: {str(error).lower()}") from None
    except ConfigError as error:
        raise ConfigError(f"GREENSERVE_CMD_ARGS: {error}") from None


def given_by_flags(flags: Iterable[Flag], source: str = "") -> Iterator[Given]:
    """*source* is where the flags stand, if that is not the command line itself."""
    where, lead = (f"variable {source}, ", f"{source}: ") if source else ("", "")
    for name, option, values in flags:
        setting = SETTINGS[name]
        value = values if setting.repeatable else values[-1]
        origin = where + (f"flag {option}" if option else "argument")
        yield Given(name, value, origin, f"{lead}{option} ", printable(", ".join(values)))
