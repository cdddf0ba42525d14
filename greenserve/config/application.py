"""What is served, and the surroundings that it is loaded in."""

import dataclasses

from greenserve.kinds import Directory, Maybe, Several, Text, Variable
from greenserve.setting import APPLICATION, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
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

    @property
    def env(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.raw_env)
