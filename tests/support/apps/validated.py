"""Every well-behaved application under the standard library's examiner of both sides of PEP 3333.

The first segment of the path names the application, as in /echo/lines; `/` is a plain one.
"""

from importlib import import_module
from wsgiref.util import shift_path_info
from wsgiref.validate import validator

#: Applications that are not called `application`.
NAMES = {"board": "app"}


def plain(environ, start_response):
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content) + 2))])
    return [b"ok", content]


def application(environ, start_response):
    name = shift_path_info(environ) if environ["PATH_INFO"] != "/" else None
    chosen = getattr(import_module(name), NAMES.get(name, "application")) if name else plain
    return validator(chosen)(environ, start_response)
