"""One second of waiting, in each of the ways in which applications wait. Nothing here knows gevent."""

import os
import queue
import threading
import time

import psycopg
import requests
from redis import Redis

WAITERS = {}


def waiter(function):
    WAITERS["/" + function.__name__] = function
    return function


@waiter
def sleep():
    time.sleep(1)


@waiter
def https():
    requests.get(os.environ["UPSTREAM"], verify=os.environ["UPSTREAM_CA"], timeout=20).raise_for_status()


@waiter
def lock():
    """Wait for a lock that a thread lets go of after a second."""
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(1, lock.release).start()
    with lock:
        pass


@waiter
def handed_over():
    """Wait for a message that another thread puts into a queue after a second."""
    messages = queue.Queue()
    threading.Timer(1, messages.put, ["word"]).start()
    assert messages.get(timeout=20) == "word"


@waiter
def postgresql():
    with psycopg.connect(os.environ["POSTGRESQL"]) as connection:
        connection.execute("select pg_sleep(1)")


@waiter
def redis():
    with Redis(unix_socket_path=os.environ["REDIS"], socket_timeout=20) as client:
        assert client.blpop(["nothing comes here"], timeout=1) is None


def application(environ, start_response):
    WAITERS[environ["PATH_INFO"]]()
    start_response("200 OK", [("Content-Length", "6")])
    return [b"waited"]
