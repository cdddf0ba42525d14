"""Every setting, once: its name, kind, default, unit, flags and help.

The fields of `Config` are the table. Flags, --help, GREENSERVE_<NAME>, the keys
of files and the reference page are all made from it, so a new setting is one
new field. Where a value comes from is the business of sources.py.
"""

import dataclasses
from typing import Literal

from greenserve.cpus import count_usable_cpus
from greenserve.encryption import Encryption
from greenserve.kinds import (
    Account,
    Address,
    Bind,
    Choice,
    Directory,
    File,
    Maybe,
    Seconds,
    Several,
    Size,
    Switch,
    Text,
    Umask,
    Variable,
    Whole,
    Workers,
)
from greenserve.setting import (
    APPLICATION,
    DEVELOPMENT,
    GROUPS,
    LENIENCY,
    LIMITS,
    LISTENING,
    LOGGING,
    PROCESS,
    TIMEOUTS,
    WORKERS,
    Setting,
    setting,
)

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Encryption):
    """The values in force. Frozen: a reload makes another one."""

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
    bind: tuple[Address, ...] = setting(
        Several(Bind(), least=1),
        default=(Address("tcp", "127.0.0.1", 8000),),
        flags="-b --bind",
        group=LISTENING,
        help="Where to listen; may be repeated. A port alone is 127.0.0.1's, :PORT is every IPv4 interface, 0 any free port.",
    )
    backlog: int = setting(
        Whole(1),
        default=2048,
        flags="--backlog",
        group=LISTENING,
        help="How many clients the kernel lets wait to be accepted.",
    )
    workers: int | Literal["auto"] = setting(
        Workers(),
        default=1,
        flags="-w --workers",
        group=WORKERS,
        help="How many worker processes; auto is one for each CPU that the machine and the container's quota grant.",
    )
    worker_connections: int = setting(
        Whole(1),
        default=10_000,
        flags="--worker-connections",
        group=WORKERS,
        help=(
            "How many connections a worker holds at once. Past it the longest idle one is let go for a new one; if "
            "none is idle, new ones wait in the backlog."
        ),
    )
    connections_per_address: int = setting(
        Whole(),
        default=0,
        flags="--connections-per-address",
        group=WORKERS,
        help="How many connections one client address may have in a worker; more are closed at once. 0 is any number.",
    )
    requests_in_flight: int = setting(
        Whole(),
        default=0,
        flags="--requests-in-flight",
        group=WORKERS,
        help=(
            "How many requests may be inside the application of a worker at once, as opposed to connections; more "
            "wait in line. 0 is as many as there are connections."
        ),
    )
    request_queue: int = setting(
        Whole(),
        default=1000,
        flags="--request-queue",
        group=WORKERS,
        help="How many requests wait in line in a worker once requests_in_flight are inside; more are answered 503.",
    )
    max_requests: int = setting(
        Whole(),
        default=0,
        flags="--max-requests",
        group=WORKERS,
        help="How many requests a worker serves before another takes its place; 0 is no end.",
    )
    max_requests_jitter: int = setting(
        Whole(),
        default=0,
        flags="--max-requests-jitter",
        group=WORKERS,
        help="The most that is added to max_requests by chance, so that workers are not replaced all at once.",
    )
    sendfile: bool = setting(
        Switch(),
        default=True,
        flags="--sendfile",
        group=WORKERS,
        help="Let the kernel send the files that applications give to wsgi.file_wrapper.",
    )
    timeout: float = setting(
        Seconds(),
        default=30.0,
        flags="-t --timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a worker's hub may be stuck before the worker is replaced; 0 is for ever. Waiting is not being stuck.",
    )
    graceful_timeout: float = setting(
        Seconds(),
        default=30.0,
        flags="--graceful-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a draining worker may finish its exchanges before it is killed.",
    )
    keepalive: float = setting(
        Seconds(),
        default=90.0,
        flags="--keep-alive",
        group=TIMEOUTS,
        unit="seconds",
        help=(
            "How long an idle connection is kept for its next request; 0 closes after each response. Longer than "
            "the 60 seconds of common load balancers, for the side that closes first must not be the one that is "
            "being sent a request."
        ),
    )
    queue_timeout: float = setting(
        Seconds(zero=False),
        default=5.0,
        flags="--queue-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a request waits in line for its turn before it is answered 503.",
    )
    minimum_rate: int = setting(
        Whole(),
        default=240,
        flags="--minimum-rate",
        group=TIMEOUTS,
        unit="bytes per second",
        help=(
            "What a client must send or take on average while the server waits for it, once content_timeout or "
            "write_timeout is over; 0 lets it trickle."
        ),
    )
    head_timeout: float = setting(
        Seconds(zero=False),
        default=30.0,
        flags="--head-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may take to send a whole request head, from its first byte.",
    )
    content_timeout: float = setting(
        Seconds(zero=False),
        default=30.0,
        flags="--content-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may pause while it sends content.",
    )
    write_timeout: float = setting(
        Seconds(zero=False),
        default=60.0,
        flags="--write-timeout",
        group=TIMEOUTS,
        unit="seconds",
        help="How long a client may pause while it receives a response.",
    )
    limit_request_line: int = setting(
        Size(1),
        default=8190,
        flags="--limit-request-line",
        group=LIMITS,
        unit="bytes",
        help="The longest request line. RFC 9112 section 3 asks for 8000 at least, so it is more than gunicorn's 4094.",
    )
    limit_request_fields: int = setting(
        Whole(1, 32768),
        default=100,
        flags="--limit-request-fields",
        group=LIMITS,
        help="The most fields in a request head.",
    )
    limit_request_field_size: int = setting(
        Size(1),
        default=8190,
        flags="--limit-request-field-size --limit-request-field_size",
        group=LIMITS,
        unit="bytes",
        help="The longest field, name and value together.",
    )
    limit_request_content: int = setting(
        Size(),
        default=1 << 30,
        flags="--limit-request-content",
        group=LIMITS,
        unit="bytes",
        help="The longest content of a request; 0 is no limit.",
    )
    spool_memory: int = setting(
        Size(),
        default=64 << 10,
        flags="--spool-memory",
        group=LIMITS,
        unit="bytes",
        help="How much of one request's chunked content is kept in memory; longer content goes to a temporary file.",
    )
    tmp_upload_dir: str | None = setting(
        Maybe(Directory()),
        default=None,
        flags="--tmp-upload-dir",
        group=LIMITS,
        help=(
            "Where temporary files are made for content; none is the directory that the system has for them, which on "
            "many systems is memory."
        ),
    )
    stream_chunked: bool = setting(
        Switch(),
        default=False,
        flags="--stream-chunked",
        group=LIMITS,
        help=(
            "Hand over chunked content as it arrives, without CONTENT_LENGTH, in place of reading it whole first. Only "
            "for applications that read wsgi.input to its end, as wsgi.input_terminated promises."
        ),
    )
    permit_obsolete_folding: bool = setting(
        Switch(),
        default=False,
        flags="--permit-obsolete-folding",
        group=LENIENCY,
        help="Join a field that is folded over several lines (RFC 9112 section 5.2). One that frames or routes stays refused.",
    )
    strip_header_spaces: bool = setting(
        Switch(),
        default=False,
        flags="--strip-header-spaces",
        group=LENIENCY,
        help="Strip white space between a field name and its colon. For a field that frames or routes it stays refused.",
    )
    permit_unconventional_http_method: bool = setting(
        Switch(),
        default=False,
        flags="--permit-unconventional-http-method",
        group=LENIENCY,
        help="Let a method be longer than 32 bytes. Any token is a method without this, in whatever case.",
    )
    permit_unconventional_http_version: bool = setting(
        Switch(),
        default=False,
        flags="--permit-unconventional-http-version",
        group=LENIENCY,
        help="Read a version from HTTP/2.0 to HTTP/9.9 in a request line as HTTP/1.1.",
    )
    casefold_http_method: bool = setting(
        Switch(),
        default=False,
        flags="--casefold-http-method",
        group=LENIENCY,
        help="Turn every method into upper case. Methods are case-sensitive: without this, get is not GET.",
    )
    header_map: str = setting(
        Choice("drop", "refuse", "dangerous", metavar="HOW"),
        default="drop",
        flags="--header-map",
        group=LENIENCY,
        help=(
            "What becomes of a field with an underscore in its name, which environ could not tell from a hyphen: drop keeps "
            "it from the application, refuse answers 400, dangerous reads it as a hyphen, so that clients can write fields "
            "that a proxy believes to have removed. One that frames or routes is dropped even then."
        ),
    )
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
        help="What a line of the access log says, in gunicorn's atoms.",
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
    pidfile: str | None = setting(
        Maybe(File()),
        default=None,
        flags="-p --pid",
        group=PROCESS,
        help="A file that holds the pid of the master while it runs.",
    )
    umask: int | None = setting(
        Maybe(Umask()),
        default=None,
        flags="-m --umask",
        group=PROCESS,
        help=(
            "The mask for files and sockets that are created, in octal; none keeps that of the caller. gunicorn's "
            "default, 0, would let every user write them."
        ),
    )
    user: int | str | None = setting(
        Maybe(Account("user")),
        default=None,
        flags="-u --user",
        group=PROCESS,
        help="Who the workers run as, by name or number, when the server is started by root.",
    )
    group: int | str | None = setting(
        Maybe(Account("group")),
        default=None,
        flags="-g --group",
        group=PROCESS,
        help="The group the workers run as, by name or number, when the server is started by root.",
    )
    proc_name: str | None = setting(
        Maybe(Text("a name", "NAME")),
        default=None,
        flags="-n --name",
        group=PROCESS,
        help="What ps calls the processes; none is the name of the application.",
    )
    reload: bool = setting(
        Switch(),
        default=False,
        flags="--reload",
        group=DEVELOPMENT,
        help="Reload when a source file changes. Needs watchfiles: pip install 'greenserve[reload]'.",
    )
    reload_extra_files: tuple[str, ...] = setting(
        Several(File()),
        default=(),
        flags="--reload-extra-file",
        group=DEVELOPMENT,
        help="Another file to reload for, such as a template; may be repeated.",
    )

    @property
    def resolved_workers(self) -> int:
        """How many workers there are to be: "auto" is what the machine and the container grant now."""
        return count_usable_cpus() if self.workers == "auto" else self.workers

    @property
    def env(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.raw_env)


_FOUND = [Setting(name=field.name, default=field.default, **field.metadata) for field in dataclasses.fields(Config)]

#: The table, by name, in the order of --help.
SETTINGS: dict[str, Setting] = {each.name: each for each in sorted(_FOUND, key=lambda each: GROUPS.index(each.group))}
