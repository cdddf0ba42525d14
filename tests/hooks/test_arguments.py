"""What hooks are given looks as gunicorn's does."""

import pytest

from greenserve.config import Config
from greenserve.hooks import HookRequest, HookResponse, HookServer, HookWorker
from greenserve.kinds import Address


@pytest.fixture
def environ():
    return {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/a%20b?x=1",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "x=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "4711",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_ONE": "1",
        "wsgi.url_scheme": "https",
        "wsgi.input": "the content",
    }


@pytest.fixture
def worker():
    config = Config(wsgi_app="shop:app", workers=3)
    return HookWorker(HookServer(config), 5, config)


def test_a_request_is_read_from_its_environ(environ):
    request = HookRequest(environ)

    assert ("POST", "/a%20b?x=1", "/a%20b", "x=1") == (request.method, request.uri, request.path, request.query)
    assert ("https", (1, 1), "the content") == (request.scheme, request.version, request.body)
    assert ("192.0.2.7", 4711) == request.remote_addr
    assert [("CONTENT-TYPE", "text/plain"), ("X-ONE", "1")] == request.headers


def test_a_field_that_a_hook_adds_reaches_the_application(environ):
    request = HookRequest(environ)

    request.headers.append(("X-Request-Id", "7"))
    request.hand_over()

    assert "7" == environ["HTTP_X_REQUEST_ID"]


def test_environ_stays_as_it_is_if_no_hook_looks_at_the_fields(environ):
    before = environ.copy()

    HookRequest(environ).hand_over()

    assert before == environ


def test_a_response_tells_its_status():
    response = HookResponse("404 Not Found", [("X-A", "1")], 9)

    assert ("404 Not Found", 404, [("X-A", "1")], 9) == (response.status, response.status_code, response.headers, response.sent)
    assert HookResponse("-", [], 0).status_code is None


def test_the_server_tells_where_it_listens():
    server = HookServer(Config(bind=(Address("tcp", "0.0.0.0", 80), Address("unix", path="/run/shop.sock"))))

    assert [("0.0.0.0", 80), "unix:/run/shop.sock"] == server.address


def test_a_hook_may_keep_what_it_likes_on_its_arguments(worker, environ):
    request = HookRequest(environ)

    worker.id, worker.server.ids, request.began = 1, {1, 2}, 0.5

    assert (1, {1, 2}, 0.5) == (worker.id, worker.server.ids, request.began)


def test_a_worker_counts_requests_once_it_lives(worker):
    before = worker.nr

    worker.enter({"requests": 12}, print)

    assert (0, 12) == (before, worker.nr)


def test_a_worker_that_a_hook_takes_the_life_of_retires_once(worker):
    reasons = []
    worker.enter({"requests": 0}, reasons.append)

    worker.alive = False
    worker.alive = False

    assert ["a hook has set worker.alive to False"] == reasons
    assert not worker.alive
