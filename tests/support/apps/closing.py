"""Streams until the client leaves, and writes into the error log that `close()` was called."""


class Stream:
    def __init__(self, errors):
        self._errors = errors

    def __iter__(self):
        return self

    def __next__(self):
        return b"x" * 65536

    def close(self):
        self._errors.write("the stream was closed\n")
        self._errors.flush()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Stream(environ["wsgi.errors"])
    start_response("200 OK", [("Content-Length", "4")])
    return [b"fine"]
