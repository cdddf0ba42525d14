"""Who is at the other end of a connection, and what it may say of others.

Settled once for a connection: by its address, or by the PROXY protocol if it
comes from a proxy that speaks it. The address that counts from then on is the
client's: a stranger does not become trusted by way of such a proxy.
"""

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

from greenserve.config import Config
from greenserve.errors import ProxyHeaderRefused
from greenserve.log import Ration
from greenserve.protocol.fields import Names
from greenserve.protocol.forwarded import Forwarding
from greenserve.protocol.mount import mount_below
from greenserve.protocol.peers import Peers
from greenserve.protocol.proxy import Passage, ProxyHeader, parse_proxy_header
from greenserve.status import Row
from greenserve.worker.transport import Transport
from greenserve.worker.wire import DeadlineExceeded, now

error_log = logging.getLogger("greenserve.error")

#: Lines a second about connections that do not begin as they should.
REFUSALS_LOGGED = 10


class Standing(NamedTuple):
    """What one sort of peers may say."""

    names: Names
    #: Makes of a request's environ what its peer is believed to have said; None where that changes nothing.
    settle: Callable[[dict[str, Any]], None] | None


class Introductions:
    """What a worker has settled about all its peers."""

    def __init__(self, config: Config, row: Row) -> None:
        self._config = config
        self._row = row
        root = config.mounted_at.encode("utf-8", "surrogateescape").decode("latin-1")
        self._forwarders = Peers(config.forwarded_allow_ips)
        scheme_fields = config.secure_scheme_headers
        mounts = "script_name" in map(str.lower, config.forwarder_headers)
        forwarding = Forwarding(self._forwarders, config.forwarded_hops, config.forwarded_claims, scheme_fields, root, mounts)
        self._proxy = Standing(Names(permitted=config.forwarder_headers), forwarding.settle)
        claims = [name for name, _ in scheme_fields]
        self._stranger = Standing(Names(believed=False, claims=claims), partial(mount_below, root=root) if root else None)
        #: Those whose connections begin with a PROXY header; None if nobody's do.
        self._proxies = None if config.proxy_protocol == "off" else Peers(config.proxy_allow_ips)
        #: What the peer at an address may say; a unix socket has the empty one. Clients come back.
        self.standing_of: Callable[[str], Standing] = lru_cache(maxsize=1024)(self._find_standing)
        self._refusals = Ration(error_log, REFUSALS_LOGGED)
        self._warned = False

    def _find_standing(self, address: str) -> Standing:
        return self._proxy if self._forwarders.admit(address) else self._stranger

    def note_dropped(self, environ: dict[str, Any], names: Names) -> None:
        """Tell, once, that a field was dropped which would have counted from a proxy: this may be one that nobody named."""
        if names.last_claim and not self._warned:
            self._warned = True
            peer = environ["REMOTE_ADDR"] or "unix"
            error_log.warning(
                "%s was removed from a request of %s, which is not among forwarded_allow_ips; this is said once",
                names.last_claim,
                peer,
            )

    # The PROXY protocol.

    def expects_header(self, address: str) -> bool:
        """Return whether a connection of the peer at *address* begins with a PROXY header."""
        return self._proxies is not None and self._proxies.admit(address)

    def read_header(self, carrier: Transport, environ: dict[str, Any]) -> bool:
        """Read the PROXY header and let *environ* name the client; return False if the peer left without a word.

        Raises ProxyHeaderRefused, when that is written down.
        """
        try:
            header = self._receive_header(carrier, now() + self._config.head_timeout)
        except ProxyHeaderRefused as refusal:
            self._row["proxy_headers_refused"] += 1
            self._refusals.info("no PROXY header from %s: %s", environ["REMOTE_ADDR"] or "unix", refusal)
            raise
        if header is None:
            return False
        if header.passage is not None:
            self._row["proxy_headers"] += 1
            name_client(environ, header.passage)
        return True

    def _receive_header(self, carrier: Transport, deadline: float) -> ProxyHeader | None:
        data = b""
        while True:
            found = parse_proxy_header(data, self._config.proxy_protocol)
            if isinstance(found, ProxyHeader):
                return found
            try:
                piece = carrier.receive(deadline, found)
            except DeadlineExceeded:
                raise ProxyHeaderRefused(f"there were {len(data)} bytes of it in {self._config.head_timeout:g} s") from None
            if not piece:
                if data:
                    raise ProxyHeaderRefused(f"it ends after {data[:40]!r}")
                return None
            data += piece


def name_client(environ: dict[str, Any], passage: Passage) -> None:
    """Let the environ of a connection name whom a proxy has passed on, in gunicorn's keys."""
    environ["REMOTE_ADDR"] = passage.client
    environ["REMOTE_PORT"] = str(passage.client_port)
    environ["PROXY_PROTOCOL"] = passage.protocol
    environ["PROXY_ADDR"] = passage.proxy
    environ["PROXY_PORT"] = str(passage.proxy_port)
