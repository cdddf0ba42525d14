"""Answers which process it runs in, and at /counts how many answers each process has given.

The counts are in a file that all processes of a server have mapped, each with a place of its own.
"""

import json
import mmap
import os

#: More than a server has processes; their numbers follow each other, so none has the place of another.
PLACES = 1024

file = os.open(os.environ["BENCH_COUNTS"], os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 8 * PLACES)
counts = memoryview(mmap.mmap(file, 8 * PLACES)).cast("Q")


def app(environ, start_response):
    if environ["PATH_INFO"] == "/counts":
        answer = json.dumps({place: count for place, count in enumerate(counts) if count}).encode()
    else:
        process = os.getpid()
        counts[process % PLACES] += 1
        answer = b"%10d" % process
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
