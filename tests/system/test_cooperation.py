"""Blocking code of every kind, 200 requests at once in one worker: about a second, not two hundred.

The applications are written as if there were no greenlets. That their waiting
is the hub's proves that patching came before every import.
"""

import time

import pytest

from tests.support.client import RawClient, ask_together, make_request

CONCURRENT = 200

#: Seconds. One of them is the waiting; the rest is 200 connections being opened by one busy core.
ABOUT_ONE_SECOND = 5.0


def assert_all_wait_at_once(server, path):
    began = time.monotonic()
    responses = ask_together(server.address, path, CONCURRENT)
    took = time.monotonic() - began

    assert [(200, b"waited")] * CONCURRENT == [(response.status, response.content) for response in responses]
    assert 1.0 <= took < ABOUT_ONE_SECOND


@pytest.mark.parametrize("path", ["/sleep", "/lock", "/handed_over"])
def test_waiting_in_the_standard_library_cooperates(start_server, path):
    server = start_server("cooperation")

    assert_all_wait_at_once(server, path)


def test_requests_over_tls_cooperates(start_server, https_upstream):
    server = start_server("cooperation", env={"UPSTREAM": https_upstream.url, "UPSTREAM_CA": https_upstream.authority})

    assert_all_wait_at_once(server, "/https")


def test_psycopg_cooperates(start_server, postgresql):
    server = start_server("cooperation", env={"POSTGRESQL": postgresql.url})

    assert_all_wait_at_once(server, "/postgresql")


def test_redis_cooperates(start_server, redis):
    server = start_server("cooperation", env={"REDIS": redis})

    assert_all_wait_at_once(server, "/redis")


def test_worker_answers_others_while_requests_wait(start_server, gate):
    server = start_server("gated", env=gate.environ)

    with RawClient(server.address) as waiting, RawClient(server.address) as passing:
        waiting.send(make_request("/"))
        visitor = gate.admit()
        assert b"passed" == passing.ask("/quick").content

        visitor.release()
        assert b"passed" == waiting.receive_response().content


def test_asyncio_runs_in_many_requests_at_once(start_server):
    """To asyncio all requests are one thread, in which one loop runs; async views of Django and Flask need many."""
    server = start_server("loops")

    answers = ask_together(server.address, "/", 20)

    assert [(200, b"[0, 1, 2]")] * 20 == [(answer.status, answer.content) for answer in answers]
