"""What is refused for good reasons, and let pass where somebody has a better one."""

import dataclasses

from greenserve.kinds import Choice, Switch
from greenserve.setting import LENIENCY, setting


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class LeniencySettings:
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
