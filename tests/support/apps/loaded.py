"""Answers with the names of all modules that its worker has loaded."""

import sys


def application(environ, start_response):
    content = "\n".join(sys.modules).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))])
    return [content]
