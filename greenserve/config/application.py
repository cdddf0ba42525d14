"""What is served, and the surroundings that it is loaded in."""

import dataclasses
import re

from greenserve.kinds import Directory, Kind, Maybe, Several, Text, Variable, printable, text_of
from greenserve.setting import APPLICATION, setting


class Mount(Kind[str]):
    """A path without a slash at its end; none for the root."""

    expects = "a path that begins with one slash, such as /shop"
    metavar = "PATH"

    def parse(self, given: object) -> str:
        if given == "":
            return ""
        if not re.fullmatch(r"/(?!/)[^?#%\s\0]*", text_of(given)):
            raise ValueError
        return text_of(given).rstrip("/")

    def show(self, value: str) -> str:
        return printable(value) if value else "none"


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ApplicationSettings:
    wsgi_app: str = setting(
        Text("MODULE:CALLABLE", "MODULE:CALLABLE"),
        default="",
        group=APPLICATION,
        help="The application to serve: pkg.module, pkg.module:object or pkg.module:factory('literal', key=1).",
    )
    config: str | None = setting(
        Maybe(Text("FILE.py, FILE.toml, file:PATH or python:MODULE", "FILE")),
        default=None,
        flags="-c --config",
        group=APPLICATION,
        help="A configuration file in place of ./greenserve.conf.py: Python, or TOML if it ends in .toml; or python:MODULE.",
    )
    chdir: str = setting(
        Directory(),
        default=".",
        flags="--chdir",
        group=APPLICATION,
        help="The directory to work in: the application is imported from it, and relative paths start there.",
    )
    pythonpath: tuple[str, ...] = setting(
        Several(Directory()),
        default=(),
        flags="--pythonpath",
        group=APPLICATION,
        help="Directories to import from, before all others; commas between them.",
    )
    raw_env: tuple[str, ...] = setting(
        Several(Variable(), separator="\n"),
        default=(),
        flags="-e --env",
        group=APPLICATION,
        secret=True,
        help="A variable for the environment of the application; may be repeated.",
    )

    root_path: str = setting(
        Mount(),
        default="",
        flags="--root-path",
        group=APPLICATION,
        help=(
            "The path that the application is mounted at: SCRIPT_NAME, which is taken from PATH_INFO; other paths are answered "
            "404. SCRIPT_NAME in the environment says the same."
        ),
    )

    @property
    def env(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.raw_env)

    @property
    def mounted_at(self) -> str:
        """Where the application stands; users of gunicorn say so in its environment."""
        return self.root_path or self.env.get("SCRIPT_NAME", "").rstrip("/")
