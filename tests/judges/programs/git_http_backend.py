"""Git's own CGI program, `git http-backend`, called as a web server calls it."""

import os
import subprocess
from tempfile import TemporaryFile

COPIED = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "PATH_INFO", "REMOTE_ADDR")


def make_environ(environ):
    passed = {name: environ[name] for name in environ if name in COPIED or name.startswith("HTTP_")}
    return {
        **os.environ,
        **passed,
        "GIT_PROJECT_ROOT": os.environ["REPOSITORIES"],
        "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_USER": "git",
    }


def application(environ, start_response):
    with TemporaryFile() as content:
        while block := environ["wsgi.input"].read(65536):
            content.write(block)
        content.seek(0)
        answer = subprocess.run(
            ["git", "http-backend"], env=make_environ(environ), stdin=content, capture_output=True, check=True
        )
    head, _, body = answer.stdout.partition(b"\r\n\r\n")
    fields = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n")]
    status = next((value for name, value in fields if name == "Status"), "200 OK")
    start_response(status, [(name, value) for name, value in fields if name != "Status"])
    return [body]
