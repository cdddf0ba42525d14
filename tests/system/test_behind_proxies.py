"""Behind a proxy that shares one connection among clients, nobody gets an answer that is somebody else's."""

from contextlib import suppress

import pytest

from tests.support.client import RawClient, Truncated
from tests.support.proxies import PROXIES
from tests.support.server import RunningServer
from tests.support.smuggling import make_attempts

#: Seconds that an attacker waits for an answer; some attempts are incomplete and get none.
PATIENCE = 0.1

#: An attack is over when some clients after it were answered.
VICTIMS = 2


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request):
    with (
        RunningServer("--keep-alive", "60", "whose:application") as server,
        PROXIES[request.param](server.address) as proxy,
    ):
        yield proxy


def ask(proxy, path):
    """Return what a client of its own gets for *path*: method, target, the proxy's port, length of the content."""
    with RawClient(proxy.address) as client:
        return client.ask(path).content.decode().split()


def attack(proxy, attempt):
    with RawClient(proxy.address, timeout=PATIENCE) as client:
        client.send(attempt)
        with suppress(TimeoutError, ConnectionError):
            client.receive_some()


def test_proxy_shares_one_connection_among_clients(proxy):
    """Else nothing below would prove anything."""
    ports = {ask(proxy, "/")[2] for _ in range(5)}

    assert 1 == len(ports)


@pytest.mark.security("after any framing error close, never parse another request")
def test_smuggled_requests_are_never_answered_to_others(proxy):
    attempts = list(make_attempts())
    wrong = {}

    for attempt in attempts:
        attack(proxy, attempt)
        for number in range(VICTIMS):
            try:
                found = ask(proxy, f"/victim-{number}")[:2]
            except (Truncated, ConnectionError) as error:
                found = repr(error)
            if found != ["GET", f"/victim-{number}"]:
                wrong[attempt] = found

    assert {} == wrong
    assert len(attempts) >= 200
