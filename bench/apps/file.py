"""Gives the server the file that BENCH_FILE names, in the way PEP 3333 has for it."""

import os

PATH = os.environ["BENCH_FILE"]
BLOCK = 64 * 1024


def read_blocks(file, size=BLOCK):
    """Do what a server without `wsgi.file_wrapper` leaves to the application."""
    with file:
        while block := file.read(size):
            yield block


def app(environ, start_response):
    wrap = environ.get("wsgi.file_wrapper", read_blocks)
    length = os.path.getsize(PATH)
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(length))])
    return wrap(open(PATH, "rb"), BLOCK)
