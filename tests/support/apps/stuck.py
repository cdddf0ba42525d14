"""Each path but `/` keeps the hub from turning for ever, in its own way."""

import os
from collections import deque
from itertools import repeat

from gevent.monkey import get_original


def spin():
    while True:
        pass


def call():
    """Hold the GIL in C, where no signal is looked for."""
    deque(repeat(None), maxlen=0)


def wait_for_ourselves():
    lock = get_original("threading", "Lock")()
    with lock, lock:
        pass


WAYS = {"/stuck": spin, "/call": call, "/deadlock": wait_for_ourselves}


def application(environ, start_response):
    if environ["PATH_INFO"] in WAYS:
        os.write(2, f"from here on {os.getpid()} does not turn\n".encode())
        WAYS[environ["PATH_INFO"]]()
    start_response("200 OK", [("Content-Length", "4")])
    return [b"fine"]
