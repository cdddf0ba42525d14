"""Wants nobody's content, and reads none of it."""


def application(environ, start_response):
    start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"no\n"]
