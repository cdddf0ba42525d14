"""Yields 64 blocks of 1 KiB without saying how many; with the query `pause` it waits half a second after the first."""

import time

BLOCK = b"0123456789abcdef" * 64
BLOCKS = 64
PAUSE = 0.5


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield BLOCK
    if environ.get("QUERY_STRING") == "pause":
        time.sleep(PAUSE)
    for _ in range(BLOCKS - 1):
        yield BLOCK
