"""Answers with the content of the request, read in the way that the path names."""


def read_whole(content):
    return [content.read(-1)]


def read_pieces(content):
    return list(iter(lambda: content.read(7), b""))


def read_lines(content):
    return list(content)


READERS = {"/pieces": read_pieces, "/lines": read_lines, "/ignore": lambda content: [b"ignored"]}


def application(environ, start_response):
    pieces = READERS.get(environ["PATH_INFO"], read_whole)(environ["wsgi.input"])
    fields = [
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", str(sum(map(len, pieces)))),
        ("X-Method", environ["REQUEST_METHOD"]),
    ]
    start_response("200 OK", fields)
    return pieces
