"""Another program, PROGRAM, under the standard library's examiner of both sides of PEP 3333.

Flask and CherryPy read their content without naming a size, which every server
lets them and the examiner does not, so the size is named for them.
"""

import os
from importlib import import_module
from wsgiref.validate import validator

program = import_module(os.environ["PROGRAM"]).app


class Sized:
    def __init__(self, content):
        self._content = content

    def __getattr__(self, name):
        return getattr(self._content, name)

    def read(self, size=-1):
        return self._content.read(size)


def name_sizes(environ, start_response):
    environ["wsgi.input"] = Sized(environ["wsgi.input"])
    return program(environ, start_response)


app = validator(name_sizes)
