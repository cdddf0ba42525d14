"""The proxies people put in front: nginx and HAProxy, unprivileged, on loopback.

The test binds the port that a proxy listens on and hands the socket over, so a
client can connect before the proxy has read its configuration, and nothing is
awaited. Both keep their connections to the server and give them to any client's
request, and pass on whatever they can be brought to pass on: a server that
reads a request otherwise than they do would answer the wrong client.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Address
from tests.support.server import bind_socket
from tests.support.services import as_user, service_directory

#: Who the proxies run as when the tests run as root; Debian knows the name from the start.
UNPRIVILEGED = "www-data"

NGINX = """
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/content;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    underscores_in_headers on;
    ignore_invalid_headers off;
    upstream application {{ server {upstream}; keepalive 1; }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Connection "";
            {extra}
        }}
    }}
}}
"""

HAPROXY = """
global
    log {directory}/log.sock local0
defaults
    mode http
    timeout connect 10s
    timeout client 30s
    timeout server 30s
    option http-keep-alive
    option accept-invalid-http-request
    http-reuse always
frontend clients
    bind fd@{descriptor}
    default_backend application
backend application
    server greenserve {upstream} {extra}
"""


class Proxy:
    """A running proxy; `address` is where clients find it."""

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self.address = address


@contextmanager
def running_nginx(upstream: Address, extra: str = "") -> Iterator[Proxy]:
    """nginx before *upstream*; *extra* are more directives of its location."""
    program = find_program("nginx")
    with bind_socket() as listener, service_directory(UNPRIVILEGED) as directory:
        configuration = NGINX.format(
            directory=directory, upstream=join(upstream), listen=join(listener.getsockname()), extra=extra
        )
        # A socket that stands in NGINX is taken over, as from an older nginx at its upgrade.
        command = [program, "-p", directory, "-e", f"{directory}/log", "-c", write(directory, configuration)]
        with running(command, directory, listener, NGINX=f"{listener.fileno()};"):
            yield Proxy("nginx", listener.getsockname())


@contextmanager
def running_haproxy(upstream: Address, extra: str = "") -> Iterator[Proxy]:
    """HAProxy before *upstream*; *extra* are more words of its server line, such as `send-proxy`."""
    program = find_program("haproxy")
    with bind_socket() as listener, service_directory(UNPRIVILEGED) as directory:
        configuration = HAPROXY.format(directory=directory, descriptor=listener.fileno(), upstream=join(upstream), extra=extra)
        with running([program, "-db", "-f", write(directory, configuration)], directory, listener):
            yield Proxy("haproxy", listener.getsockname())


PROXIES = {"nginx": running_nginx, "haproxy": running_haproxy}


def find_program(name: str) -> str:
    """Return the path of *name*; Debian keeps servers off the PATH of users."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    return found or pytest.skip(f"{name} is not installed (apt install {name})")


def join(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def write(directory: str, configuration: str) -> str:
    path = Path(directory, "configuration")
    path.write_text(configuration)
    return str(path)


@contextmanager
def running(
    command: Sequence[str], directory: str, listener: socket.socket, user: str = UNPRIVILEGED, **environ: str
) -> Iterator[None]:
    """Run a proxy that takes over *listener* for the length of the block; say what it said if it ends before.

    With no *user* it stays who we are.
    """
    said = Path(directory, "said")
    with said.open("wb") as output:
        process: subprocess.Popen[Any] = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **environ},
            pass_fds=[listener.fileno()],
            start_new_session=True,
            **(as_user(user) if user else {}),
        )
    try:
        yield
    finally:
        early = process.poll()
        process.terminate()
        process.wait(30)
    assert early is None, f"{command[0]} ended with {early}: {said.read_text()}"
