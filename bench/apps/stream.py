"""Yields 64 blocks of 1 KiB without saying how many.

After the first it takes half a second with the query `pause`, in which it
waits, and with `compute`, in which it does not.
"""

import time

BLOCK = b"0123456789abcdef" * 64
BLOCKS = 64
PAUSE = 0.5


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield BLOCK
    dally(environ.get("QUERY_STRING"))
    for _ in range(BLOCKS - 1):
        yield BLOCK


def dally(way):
    if way == "pause":
        time.sleep(PAUSE)
    elif way == "compute":
        end = time.monotonic() + PAUSE
        while time.monotonic() < end:
            pass
