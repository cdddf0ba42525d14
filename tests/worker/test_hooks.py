"""The hooks around a request."""

from contextlib import closing
from contextvars import ContextVar

import pytest

from greenserve.config import Config
from greenserve.hooks import HookServer, HookWorker
from greenserve.worker.hooks import find_run
from greenserve.wsgi.exchange import Exchange

ASK = b"GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

identity = ContextVar("identity", default="")


def application(environ, start_response):
    start_response("200 OK", [("X-Id", environ.get("HTTP_X_ID", "-")), ("Content-Length", "3")])
    return [b"yes"]


@pytest.fixture
def ask(stage):
    """Send requests to a service with hooks, and return all that is answered."""

    def ask(application=application, requests=ASK, **hooks):
        stage.make_service(application)
        config = Config(workers=1, **hooks)
        stage.service.run = find_run(config, HookWorker(HookServer(config), 1, config))
        client = stage.serve_beside()
        with closing(client.socket):
            client.send(requests)
            return client.receive()

    return ask


def test_without_hooks_nothing_stands_around_an_exchange():
    assert Exchange.run is find_run(Config(), None)


def test_a_request_runs_between_its_hooks(ask):
    heard = []

    answer = ask(
        pre_request=lambda worker, req: heard.append((worker.age, req.method, req.path)),
        post_request=lambda worker, req, environ, resp: heard.append((environ["QUERY_STRING"], resp.status, resp.sent)),
    )

    assert answer.endswith(b"\r\n\r\nyes")
    assert [(1, "GET", "/a"), ("b", "200 OK", 3)] == heard


def test_post_request_gets_as_many_arguments_as_it_takes(ask):
    heard = []

    ask(post_request=lambda worker, req: heard.append(req.uri))

    assert ["/a?b"] == heard


def test_both_hooks_see_the_same_request_in_its_context(ask):
    heard = []

    def pre_request(worker, req):
        req.number = 7
        identity.set("seven")

    ask(pre_request=pre_request, post_request=lambda worker, req: heard.append((req.number, identity.get())))

    assert [(7, "seven")] == heard


def test_what_pre_request_adds_reaches_the_application(ask):
    answer = ask(pre_request=lambda worker, req: req.headers.append(("X-ID", "12")))

    assert b"\r\nX-Id: 12\r\n" in answer


def test_a_pre_request_that_raises_is_answered_500(ask, caplog):
    def pre_request(worker, req):
        raise LookupError("no such tenant")

    answer = ask(pre_request=pre_request)

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert "no such tenant" in caplog.text


def test_a_post_request_that_raises_costs_nobody_the_answer(ask, caplog):
    def post_request(worker, req):
        raise LookupError("no such metric")

    answer = ask(requests=ASK.replace(b"Connection: close\r\n", b"") + ASK, post_request=post_request)

    assert 2 == answer.count(b"HTTP/1.1 200 ")
    assert 2 == caplog.text.count("the hook post_request")


def test_post_request_hears_of_an_answer_that_failed(ask):
    heard = []

    def broken(environ, start_response):
        raise ValueError

    ask(broken, post_request=lambda worker, req, environ, resp: heard.append(resp.status_code))

    assert [500] == heard
