"""What is known of any setting besides its value, and how a field of Config is declared with it."""

import dataclasses
from typing import Any, TypeVar

from greenserve.kinds import Kind, Several, Switch

T = TypeVar("T")

#: The groups of --help and of the reference page, in their order.
APPLICATION = "Application"
LISTENING = "Listening"
TLS = "TLS"
PROXIES = "Proxies"
WORKERS = "Workers"
TIMEOUTS = "Timeouts"
LIMITS = "Limits"
LENIENCY = "Leniency"
LOGGING = "Logging"
PROCESS = "Process"
DEVELOPMENT = "Development"
HOOKS = "Hooks"

GROUPS = (APPLICATION, LISTENING, TLS, PROXIES, WORKERS, TIMEOUTS, LIMITS, LENIENCY, LOGGING, PROCESS, DEVELOPMENT, HOOKS)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of one setting besides its value."""

    name: str
    kind: Kind[Any]
    default: Any
    flags: tuple[str, ...]
    group: str
    unit: str
    help: str

    @property
    def variable(self) -> str:
        return f"GREENSERVE_{self.name.upper()}"

    @property
    def typed(self) -> bool:
        """Whether flags, variables and TOML files can give it."""
        return self.kind.typed

    @property
    def repeatable(self) -> bool:
        return isinstance(self.kind, Several)

    @property
    def switch(self) -> bool:
        return isinstance(self.kind, Switch)


def setting(kind: Kind[T], *, default: T, group: str, help: str, flags: str = "", unit: str = "", secret: bool = False) -> T:
    """Declare a field of Config; the return type is a promise to the type checker, as with dataclasses.field."""
    about = {"kind": kind, "flags": tuple(flags.split()), "group": group, "unit": unit, "help": help}
    field: T = dataclasses.field(default=default, metadata=about, repr=not secret)
    return field
