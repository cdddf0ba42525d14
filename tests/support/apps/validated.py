"""An ordinary application under the standard library's examiner of both sides of PEP 3333."""

from wsgiref.validate import validator


def plain(environ, start_response):
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content) + 2))])
    return [b"ok", content]


application = validator(plain)
