"""Answers which process it runs in."""

import os


def app(environ, start_response):
    answer = b"%10d" % os.getpid()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
