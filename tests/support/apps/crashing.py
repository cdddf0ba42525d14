"""`/crash` ends the worker in the middle of the request, without a word."""

import os
import signal


def application(environ, start_response):
    if environ["PATH_INFO"] == "/crash":
        os.kill(os.getpid(), signal.SIGKILL)
    start_response("200 OK", [("Content-Length", "5")])
    return [b"alive"]
