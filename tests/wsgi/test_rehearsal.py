"""What a worker asks itself before it is ready."""

import pytest

from greenserve.errors import AppLoadError
from greenserve.wsgi.environ import ErrorStream, connection_environ, listener_environ
from greenserve.wsgi.rehearsal import rehearse

BASE = connection_environ(listener_environ(("127.0.0.1", 8000), multiprocess=False, errors=ErrorStream(str)), ("127.0.0.1", 0))


def answer(status, seen=None):
    def application(environ, start_response):
        if seen is not None:
            seen.append(environ)
        start_response(status, [("Content-Length", "2")])
        return [b"ok"]

    return application


def fail(environ, start_response):
    raise RuntimeError("no database")


@pytest.mark.parametrize(
    ("target", "host", "path", "query", "scheme"),
    [
        ("/healthz", "localhost", "/healthz", "", "http"),
        ("/a%20b?c=d", "localhost", "/a b", "c=d", "http"),
        ("https://shop.example:8443", "shop.example:8443", "/", "", "https"),
    ],
)
def test_application_is_asked_as_a_client_would(target, host, path, query, scheme):
    seen = []

    rehearse(answer("200 OK", seen), target, BASE)

    (environ,) = seen
    assert ("GET", host, path) == (environ["REQUEST_METHOD"], environ["HTTP_HOST"], environ["PATH_INFO"])
    assert (query, scheme, "127.0.0.1") == (environ["QUERY_STRING"], environ["wsgi.url_scheme"], environ["REMOTE_ADDR"])
    assert b"" == environ["wsgi.input"].read()


@pytest.mark.parametrize("status", ["204 No Content", "302 Found"])
def test_whatever_is_no_error_is_good(status):
    rehearse(lambda environ, start_response: start_response(status, []) and [], "/", BASE)


@pytest.mark.parametrize("status", ["404 Not Found", "503 Service Unavailable"])
def test_an_error_says_what_was_answered(status):
    with pytest.raises(AppLoadError, match=rf"--warmup /x was answered with {status}, so no worker serves"):
        rehearse(answer(status), "/x", BASE)


def test_a_failure_shows_its_traceback():
    with pytest.raises(AppLoadError, match=r"(?s)--warmup / failed in the application.*RuntimeError: no database"):
        rehearse(fail, "/", BASE)
