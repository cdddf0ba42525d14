"""The services that system tests stand on, each asked once by a plain client."""

import ssl
import urllib.request

import psycopg
import pytest
import redis as redis_client

from tests.support.services import MAX_CONNECTIONS, running_service


def test_postgresql_takes_the_clients_it_promises(postgresql):
    with psycopg.connect(postgresql.url) as connection:
        row = connection.execute("select current_setting('max_connections')").fetchone()

    assert (str(MAX_CONNECTIONS),) == row


def test_redis_answers(redis):
    with redis_client.Redis(unix_socket_path=redis) as client:
        assert client.ping()


def test_https_upstream_is_trusted_by_its_authority_alone(https_upstream):
    trusting = ssl.create_default_context(cafile=https_upstream.authority)

    with urllib.request.urlopen(https_upstream.url, context=trusting, timeout=20) as response:
        assert b"slow" == response.read()


def test_service_that_does_not_start_fails_with_what_it_printed():
    with (
        pytest.raises(RuntimeError, match=r"(?s)ended without 'ready'.*out of luck"),
        running_service(["sh", "-c", "echo out of luck"], "ready"),
    ):
        pass
