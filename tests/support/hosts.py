"""Hosts of their own on one machine: network namespaces, each at the end of a wire from the load balancer's.

No namespace has a name. Each lasts as long as the process that holds it, and
takes its wires along, so nothing is left of them even when the tests are
killed. Nothing outside of them is changed: the test binds the socket that the
balancer's clients connect to, and a socket stays in the network it was made in.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest

from tests.docs.pages import find_fences, read_page
from tests.support.proxies import UNPRIVILEGED, Proxy, find_program, running, write
from tests.support.server import bind_socket
from tests.support.services import running_service, service_directory

#: What every host listens on: nobody else is in its network.
PORT = 8000

HOLD = ("unshare", "--net", "sh", "-c", "echo held by $$; exec sleep infinity")

#: Whose recipe is followed here to the letter; the hosts have the addresses that it names.
PAGE = "docs/how-to/behind-haproxy.md"
SECTION = "Restart hosts in turn"


class Host(NamedTuple):
    #: The process that holds its namespace.
    holder: int
    address: str = ""

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command so that it runs there."""
        return ("nsenter", f"--net=/proc/{self.holder}/ns/net")


class Network(NamedTuple):
    balancer: Host
    hosts: list[Host]


@contextmanager
def wired_hosts(count: int) -> Iterator[Network]:
    """A load balancer's host and *count* others, which can reach it and not each other. Needs root, and is skipped without."""
    if os.geteuid() != 0:
        pytest.skip("only root may make network namespaces")
    for program in ("ip", "unshare", "nsenter"):
        shutil.which(program) or pytest.skip(f"{program} is not installed (apt install iproute2 util-linux)")
    with ExitStack() as held:
        balancer = Host(hold(held))
        hosts = [wire(balancer, Host(hold(held), f"10.0.{number}.2"), number) for number in range(1, count + 1)]
        yield Network(balancer, hosts)


def hold(held: ExitStack) -> int:
    """Make a namespace that lasts as long as *held*, and return the pid that holds it."""
    try:
        line = held.enter_context(running_service([*HOLD], "held by "))
    except RuntimeError as refusal:
        pytest.skip(f"no network namespace can be made here: {refusal}")
    return int(line.split()[-1])


def wire(balancer: Host, host: Host, number: int) -> Host:
    """Lay a wire from the balancer to *host*."""
    near, far = f"wire{number}", "wire"
    change(balancer, "link", "add", near, "type", "veth", "peer", "name", far, "netns", str(host.holder))
    for end, name, address in ((balancer, near, f"10.0.{number}.1"), (host, far, host.address)):
        change(end, "address", "add", f"{address}/24", "dev", name)
        change(end, "link", "set", name, "up")
    return host


def change(host: Host, *words: str) -> None:
    done = subprocess.run([*host.enter, "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"ip {' '.join(words)}: {done.stderr.strip()}")


@contextmanager
def running_balancer(network: Network) -> Iterator[Proxy]:
    """HAProxy before all hosts, which asks each five times a second for its health."""
    program = find_program("haproxy")
    with bind_socket() as listener, service_directory(UNPRIVILEGED) as directory:
        configuration = balancer_configuration(listener.fileno(), [host.address for host in network.hosts])
        command = [*network.balancer.enter, program, "-db", "-f", write(directory, configuration)]
        # Root enters the namespace, and HAProxy becomes somebody else by itself.
        with running(command, directory, listener, user=""):
            yield Proxy("haproxy", listener.getsockname())


def balancer_configuration(descriptor: int, addresses: Sequence[str]) -> str:
    """Return that of the page, for the user and the socket that are there."""
    text = next(found.text for found in find_fences(read_page(PAGE, SECTION)) if found.language == "haproxy")
    assert [*addresses] == re.findall(rf"^    server shop\d (\S+):{PORT}$", text, re.MULTILINE)
    for shown, there in (
        ("user haproxy", f"user {UNPRIVILEGED}"),
        ("group haproxy", f"group {UNPRIVILEGED}"),
        ("bind :80", f"bind fd@{descriptor}"),
    ):
        assert shown in text
        text = text.replace(shown, there)
    return text
