"""Every setting, once: its name, kind, default, unit, flags and help.

The fields of `Config` are the table; they stand in the modules beside this one,
a class for each group of --help. Flags, --help, GREENSERVE_<NAME>, the keys of
files and the reference page are all made from it, so a new setting is one new
field. Where a value comes from is the business of sources.py.
"""

import dataclasses

from greenserve.config.application import ApplicationSettings
from greenserve.config.encryption import Encryption
from greenserve.config.hooks import HookSettings
from greenserve.config.leniency import LeniencySettings
from greenserve.config.limits import LimitSettings
from greenserve.config.listening import ListeningSettings
from greenserve.config.logs import LogSettings
from greenserve.config.process import ProcessSettings
from greenserve.config.proxies import ProxySettings
from greenserve.config.timeouts import TimeoutSettings
from greenserve.config.workers import WorkerSettings
from greenserve.setting import GROUPS, Setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(
    HookSettings,
    ProcessSettings,
    LogSettings,
    LeniencySettings,
    LimitSettings,
    TimeoutSettings,
    WorkerSettings,
    ProxySettings,
    ListeningSettings,
    ApplicationSettings,
    Encryption,
):
    """The values in force. Frozen: a reload makes another one."""

    @property
    def syslog_name(self) -> str:
        """What syslog knows the messages by; a colon would end it there."""
        return "greenserve." + (self.syslog_prefix or self.proc_name or self.wsgi_app).replace(":", ".")


_FOUND = [Setting(name=field.name, default=field.default, **field.metadata) for field in dataclasses.fields(Config)]

#: The table, by name, in the order of --help.
SETTINGS: dict[str, Setting] = {each.name: each for each in sorted(_FOUND, key=lambda each: GROUPS.index(each.group))}
