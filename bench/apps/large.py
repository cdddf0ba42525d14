"""Answers 1 MiB in one block."""

CONTENT = b"0123456789abcdef" * (64 * 1024)


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(CONTENT)))])
    return [CONTENT]
