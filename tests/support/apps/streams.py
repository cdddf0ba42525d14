"""Answers of unknown length, in every form an application may give them."""

import io


def generator(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (piece for piece in (b"one ", b"", b"two ", b"three"))


def list_of_two(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"one ", b"two three"]


def written(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"one ")
    write(b"two ")
    return [b"three"]


def file(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"one two three"), 4)


def nothing(environ, start_response):
    start_response("204 No Content", [])
    return []


def unchanged(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []


FORMS = {f"/{form.__name__}": form for form in (generator, list_of_two, written, file, nothing, unchanged)}


def application(environ, start_response):
    return FORMS[environ["PATH_INFO"]](environ, start_response)
