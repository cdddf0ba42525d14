"""Tells which load of the application answers: the content of a file, read at import."""

import os
from pathlib import Path

GENERATION = Path(os.environ["GENERATION_FILE"]).read_text()

if not GENERATION.isdecimal():
    raise ValueError(f"generation {GENERATION!r} is broken")


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2"), ("X-Generation", GENERATION), ("X-Pid", str(os.getpid()))])
    return [b"ok"]
