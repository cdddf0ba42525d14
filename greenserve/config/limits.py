"""How much of something may come."""

import dataclasses

from greenserve.kinds import Directory, Maybe, Size, Switch, Whole
from greenserve.setting import LIMITS, setting


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class LimitSettings:
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
    spool_limit: int = setting(
        Size(),
        default=4 << 30,
        flags="--spool-limit",
        group=LIMITS,
        unit="bytes",
        help="How much content a worker keeps in temporary files for all its requests; more is answered 503. 0 is no limit.",
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
