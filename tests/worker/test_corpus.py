"""The corpus again, on served connections: here "accepted" is an answer, and "closed" is the socket."""

import re
from http import HTTPStatus
from urllib.parse import quote

import pytest

from greenserve.protocol.head import parse_request_head
from tests.protocol.cases import ROOT, read_corpus
from tests.protocol.mutation import mutate
from tests.protocol.readers import read_ours

NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"

#: How many damaged requests are served, and which.
DAMAGED = 700
SEED = 9110

TOPICS = sorted(path.name for path in ROOT.iterdir() if path.is_dir())

#: The settings that make the limits of a case; the other limits are not for users to set.
SETTINGS = {
    "line": "limit_request_line",
    "fields": "limit_request_fields",
    "field_size": "limit_request_field_size",
    "content": "limit_request_content",
}


def read_topic(topic, outcome):
    """Return the cases of a directory of the corpus whose limits a user can set."""
    cases = [parameter.values[0] for parameter in read_corpus(outcome)]
    return [case for case in cases if case.name.startswith(f"{topic}/") and is_settable(case.given_limits)]


def is_settable(limits):
    return set(limits) <= set(SETTINGS) and all(limits.values())


def settings_of(case):
    leniency = {name: value for name, value in case.leniency._asdict().items() if value}
    return {SETTINGS[name]: value for name, value in case.given_limits.items()} | leniency


def echo(environ, start_response):
    content = environ["wsgi.input"].read()
    start_response("200 OK", [("X-Path", quote(environ["PATH_INFO"]) or "none")])
    return [content]


def converse(serve, case, then=b""):
    """Return what a client gets that sends a case, *then* something more."""
    return exchange(serve, case.raw + then, **settings_of(case))


def exchange(serve, raw, **settings):
    """Return what a client gets that sends *raw* and no more, and listens until the socket is closed."""
    client = serve(echo, **settings)
    client.send(raw)
    client.socket.shutdown(1)
    answers = client.receive()
    client.socket.close()
    return answers


def statuses(answers):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([2-5]\d\d) ", answers)]


@pytest.mark.security("after any framing error close, never parse another request")
@pytest.mark.parametrize("topic", TOPICS)
def test_refused_case_is_answered_once_and_the_socket_closed(serve, topic):
    wrong = {}

    for case in read_topic(topic, "refuse"):
        answers = converse(serve, case, NEXT)
        if statuses(answers) != [case.expected["status"]] or b"X-Path" in answers:
            wrong[case.name] = answers

    assert {} == wrong


@pytest.mark.security("errors escaped")
@pytest.mark.security("no stack traces to clients")
@pytest.mark.parametrize("topic", TOPICS)
def test_refusal_says_its_status_and_nothing_of_what_was_sent(serve, topic):
    wrong = {}

    for case in read_topic(topic, "refuse"):
        _, _, content = converse(serve, case).partition(b"\r\n\r\n")
        status = HTTPStatus(case.expected["status"])
        if content != f"{status.value} {status.phrase}\n".encode():
            wrong[case.name] = content

    assert {} == wrong


@pytest.mark.parametrize("topic", TOPICS)
def test_accepted_case_is_answered_and_so_is_the_next_request(serve, topic):
    """Unless the answer said that the connection ends with it."""
    wrong = {}

    for case in read_topic(topic, "accept"):
        answers = converse(serve, case, NEXT)
        persistent = b"\r\nConnection: close" not in answers.split(b"\r\n\r\n")[0]
        may_persist = case.expected.get("head", {}).get("persistent", True)
        if (
            statuses(answers) != [200, 200][: 1 + persistent]
            or persistent != (b"X-Path: /next\r\n" in answers)
            or persistent > may_persist
        ):
            wrong[case.name] = answers

    assert {} == wrong


@pytest.mark.parametrize("topic", TOPICS)
def test_incomplete_case_is_never_taken_for_a_whole_request(serve, topic):
    wrong = {}

    for case in read_topic(topic, "incomplete"):
        answers = converse(serve, case)
        if 200 in statuses(answers):
            wrong[case.name] = answers

    assert {} == wrong


@pytest.mark.parametrize(("case", "said"), [("tls-client-hello", "speaks TLS"), ("http2-preface", "speaks HTTP/2")])
def test_client_of_another_protocol_is_named_in_the_log(serve, caplog, case, said):
    """It cannot read our 400; whoever set the address wrong reads the log."""
    caplog.set_level("INFO", "greenserve.error")

    answer = exchange(serve, (ROOT / "request-line" / f"{case}.http").read_bytes())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert said in caplog.text


def test_damaged_requests_are_answered_as_they_are_read(serve):
    """The connection adds nothing to what the parser and the decoders say, and leaves nothing out."""
    seeds = [case.values[0].raw for case in read_corpus("accept", "refuse") if b"pgrade" not in case.values[0].raw]
    wrong = {}

    for raw in mutate(seeds, SEED, DAMAGED):
        reading = read_ours(parse_request_head, raw)
        found = statuses(exchange(serve, raw, limit_request_content=0))
        refused = bool(reading.refusal)
        if found[: len(reading.requests)] != [200] * len(reading.requests) or len(found) != len(reading.requests) + refused:
            wrong[raw] = found

    assert {} == wrong
