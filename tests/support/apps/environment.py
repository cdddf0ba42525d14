"""Answers with environ as JSON; what JSON cannot say is said by its type's name."""

import json
import os


def application(environ, start_response):
    known = environ | {"os.environ": dict(os.environ), "os.getcwd": os.getcwd()}
    content = json.dumps(known, default=lambda value: type(value).__name__).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
