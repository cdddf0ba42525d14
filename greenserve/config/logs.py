"""What is written about all this, and where."""

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from greenserve.kinds import Choice, File, Kind, Maybe, Switch, Text, Whole, printable, shortened, text_of
from greenserve.setting import LOGGING, setting

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'

#: As greenserve.log.syslog knows them.
FACILITIES = ("auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp")
LOCAL_FACILITIES = tuple(f"local{number}" for number in range(8))


class SyslogAddress(Kind[str]):
    """Where a syslog daemon listens; the port is 514 if it is left out."""

    expects = "udp://HOST:PORT, tcp://HOST:PORT, or unix://PATH with #dgram or #stream behind it if need be"
    metavar = "ADDRESS"

    def parse(self, given: object) -> str:
        text = text_of(given)
        if re.fullmatch(r"unix://[^#\0]+(#(dgram|stream))?", text):
            return text
        match = re.fullmatch(r"((?:udp|tcp)://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]))(?::([0-9]+))?", text)
        if match is None:
            raise ValueError
        return f"{match[1]}:{Whole(1, 65535).parse(match[2] or 514)}"


class Dictionary(dict[str, Any]):
    """One that nobody changes, so that a frozen Config can keep it, whatever it holds."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))


class Table(Kind[Mapping[str, Any]]):
    """A dictionary; in a text, a JSON object."""

    expects = "a dictionary, or a text that is a JSON object"
    metavar = "JSON"

    def parse(self, given: object) -> Mapping[str, Any]:
        found = json.loads(given) if isinstance(given, str) else given
        if not isinstance(found, dict):
            raise TypeError
        return Dictionary(found)

    def show(self, value: Mapping[str, Any]) -> str:
        return printable(shortened(", ".join(map(str, value))) or "none")


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class LogSettings:
    accesslog: str | None = setting(
        Maybe(File("stdout")),
        default=None,
        flags="--access-logfile",
        group=LOGGING,
        help="The file that gets a line for each exchange; - is stdout, none is no access log.",
    )
    access_log_format: str = setting(
        Text("a format such as '%(h)s %(r)s %(s)s'", "FORMAT"),
        default=ACCESS_LOG_FORMAT,
        flags="--access-logformat",
        group=LOGGING,
        help="What a line of the access log says, in gunicorn's atoms; json makes each line a JSON object.",
    )
    errorlog: str = setting(
        File("stderr"),
        default="-",
        flags="--error-logfile --log-file",
        group=LOGGING,
        help="The file that gets what the server has to say; - is stderr.",
    )
    loglevel: str = setting(
        Choice("debug", "info", "warning", "error", "critical", metavar="LEVEL"),
        default="info",
        flags="--log-level",
        group=LOGGING,
        help="The least level that is written to the error log.",
    )
    syslog: bool = setting(
        Switch(),
        default=False,
        flags="--log-syslog",
        group=LOGGING,
        help="Send both logs to syslog as well, as messages of greenserve.NAME.error and greenserve.NAME.access.",
    )
    syslog_addr: str = setting(
        SyslogAddress(),
        default="udp://localhost:514",
        flags="--log-syslog-to",
        group=LOGGING,
        help="Where the syslog daemon listens, such as unix:///dev/log.",
    )
    syslog_prefix: str | None = setting(
        Maybe(Text("a name", "NAME")),
        default=None,
        flags="--log-syslog-prefix",
        group=LOGGING,
        help="The NAME in the messages; none is proc_name, or else the application's.",
    )
    syslog_facility: str = setting(
        Choice(*FACILITIES, *LOCAL_FACILITIES, metavar="FACILITY"),
        default="user",
        flags="--log-syslog-facility",
        group=LOGGING,
        help="The facility of the messages.",
    )
    disable_redirect_access_to_syslog: bool = setting(
        Switch(),
        default=False,
        flags="--disable-redirect-access-to-syslog",
        group=LOGGING,
        help="Keep access lines from syslog.",
    )
    logconfig: str | None = setting(
        Maybe(File()),
        default=None,
        flags="--log-config",
        group=LOGGING,
        help="A file in the format of logging.config, with the loggers greenserve.error and greenserve.access, or gunicorn's.",
    )
    logconfig_json: str | None = setting(
        Maybe(File()),
        default=None,
        flags="--log-config-json",
        group=LOGGING,
        help="A JSON file with a dictionary for logging.config; it stands in place of logconfig.",
    )
    logconfig_dict: Mapping[str, Any] | None = setting(
        Maybe(Table()),
        default=None,
        flags="--log-config-dict",
        group=LOGGING,
        help="A dictionary for logging.config; it stands in place of the files.",
    )
    capture_output: bool = setting(
        Switch(),
        default=False,
        flags="--capture-output",
        group=LOGGING,
        help="Send what the application prints to errorlog, if that is a file.",
    )
