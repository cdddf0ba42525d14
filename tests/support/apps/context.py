"""Answers with what the variable held before this request set it."""

from contextvars import ContextVar

user = ContextVar("user", default="nobody")


def application(environ, start_response):
    before = user.get()
    user.set(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(before)))])
    return [before.encode()]
