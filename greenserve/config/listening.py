"""Where clients come in."""

import dataclasses

from greenserve.kinds import MOST_INT, Address, Bind, Maybe, Permissions, Several, Switch, Whole
from greenserve.setting import LISTENING, setting


@dataclasses.dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ListeningSettings:
    bind: tuple[Address, ...] = setting(
        Several(Bind(), least=1),
        default=(Address("tcp", "127.0.0.1", 8000),),
        flags="-b --bind",
        group=LISTENING,
        help="Where to listen; may be repeated. A port alone is 127.0.0.1's, :PORT is every IPv4 interface, 0 any free port.",
    )
    backlog: int = setting(
        Whole(1, MOST_INT),
        default=2048,
        flags="--backlog",
        group=LISTENING,
        help="How many clients the kernel lets wait to be accepted.",
    )
    unix_mode: int | None = setting(
        Maybe(Permissions("mode", "0o660")),
        default=None,
        flags="--unix-mode",
        group=LISTENING,
        help=(
            "Who may connect to unix sockets, in octal: 660 is the owner and the group. It holds from the moment in which "
            "the file appears; none leaves it to umask."
        ),
    )
    reuse_port: bool = setting(
        Switch(),
        default=False,
        flags="--reuse-port",
        group=LISTENING,
        help=(
            "Let other servers that ask for it too listen on the same ports (SO_REUSEPORT); the kernel deals the clients out "
            "to all of them. The workers of one server need it not: they share their listeners."
        ),
    )
    ipv6_only: bool = setting(
        Switch(),
        default=False,
        flags="--ipv6-only",
        group=LISTENING,
        help="Serve IPv6 alone on [::]; without it [::] is every interface of IPv4 too, unless 0.0.0.0 is bound beside it.",
    )
