"""Reads all content, and answers how long it was."""

BLOCK = 64 * 1024


def app(environ, start_response):
    read = environ["wsgi.input"].read
    length = 0
    while block := read(BLOCK):
        length += len(block)
    answer = b"%10d" % length
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
