"""Three hosts behind HAProxy are restarted in turn, and nobody notices; of one that dies, only what was inside it is lost."""

from contextlib import ExitStack

import pytest

from tests.support.client import RawClient, make_request
from tests.support.hosts import PORT, running_balancer, wired_hosts
from tests.support.load import BURST, load
from tests.support.server import GREENSERVE

HOSTS = 3
CONNECTIONS = 6

#: Slow requests in flight on each host; HAProxy deals them out in turn.
EACH = 4

#: As the page has it. HAProxy asks five times a second, and believes what it hears twice.
PATIENTLY = ("--drain-delay", "2")


@pytest.fixture(scope="module")
def network():
    with wired_hosts(HOSTS) as network:
        yield network


@pytest.fixture
def start_host(start_server, network):
    """Start greenserve on a host; what it answers tells *generation*."""

    def start(number, generation, *options):
        host = network.hosts[number]
        return start_server(
            *("balanced", "--workers", "2", "--bind", f"{host.address}:{PORT}"),
            # Longer than HAProxy keeps a connection that it does not use.
            *("--keep-alive", "60", *options),
            env={"GENERATION": str(generation), "SLOW_SECONDS": "4"},
            sockets=(),
            command=[*host.enter, *GREENSERVE],
        )

    return start


def test_rolling_restart_loses_no_request(network, start_host):
    servers = [start_host(number, number, *PATIENTLY) for number in range(HOSTS)]

    with running_balancer(network) as balancer, load(balancer, CONNECTIONS) as clients:
        for number in range(HOSTS):
            assert 0 == servers[number].stop()
            start_host(number, HOSTS + number)
            clients.wait_for_generation(HOSTS + number)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert {*range(2 * HOSTS)} == clients.generations_seen


def test_sudden_death_of_a_host_loses_only_what_was_inside_it(network, start_host):
    """HAProxy sends no request twice, but one whose connection is refused goes to another host."""
    servers = [start_host(number, number) for number in range(HOSTS)]

    with running_balancer(network) as balancer, ExitStack() as opened:
        slow = [opened.enter_context(RawClient(balancer.address)) for _ in range(EACH * HOSTS)]
        for client in slow:
            client.send(make_request("/slow"))
        for server in servers:
            server.wait_for_log("slow has begun", times=EACH)
        with load(balancer, CONNECTIONS) as clients:
            servers[0].kill()
            answers = [client.receive_response().status for client in slow]
            seen = len(clients.failures)
            clients.wait_for_answers(100)

    assert EACH == answers.count(502)
    assert EACH * (HOSTS - 1) == answers.count(200)
    # One request of each connection, and one burst; none once the slow ones were answered.
    assert seen <= CONNECTIONS + BURST, clients.failures
    assert seen == len(clients.failures)
