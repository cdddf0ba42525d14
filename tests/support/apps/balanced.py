"""On one of several hosts: `/healthz` says whether it wants more, `/slow` logs that it has begun and takes SLOW_SECONDS."""

import os
import time

GENERATION = os.environ["GENERATION"]
SLOW = float(os.environ.get("SLOW_SECONDS", 0))


def application(environ, start_response):
    path = environ["PATH_INFO"]
    wants_more = path != "/healthz" or environ["greenserve.ready"]()
    if path == "/slow":
        environ["wsgi.errors"].write("slow has begun\n")
        time.sleep(SLOW)
    start_response("200 OK" if wants_more else "503 Leaving", [("Content-Length", "4"), ("X-Generation", GENERATION)])
    return [b"done"]
