"""What is written about all this, and where."""

import dataclasses

from greenserve.kinds import Choice, File, Maybe, Text
from greenserve.setting import LOGGING, setting

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'


@dataclasses.dataclass(frozen=True, kw_only=True)
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
