"""Serves the file that FILE names, as the path says: whole, from its middle, or copied by the application."""

import io
import os


def application(environ, start_response):
    file = open(os.environ["FILE"], "rb")  # noqa: SIM115  # the server closes it
    if environ["PATH_INFO"] == "/half":
        file.seek(os.path.getsize(file.name) // 2)
    if environ["PATH_INFO"] == "/copied":
        file = io.BytesIO(file.read())
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](file)
