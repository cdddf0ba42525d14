"""Breaks PEP 3333 or itself, in the way that the path names. `/` is in order."""

import sys


def raises(start_response):
    raise KeyError("the secret of the application")


def raises_after_start(start_response):
    start_response("200 OK", [("Content-Length", "2")])
    raise KeyError("after start_response")


def raises_midway(start_response):
    start_response("200 OK", [("Content-Length", "9")])
    yield b"half"
    raise KeyError("midway")


def never_starts(start_response):
    return [b"no head"]


def starts_twice(start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return [b""]


def corrects_itself(start_response):
    start_response("200 OK", [("Content-Length", "2")])
    try:
        raise ValueError("noticed in time")
    except ValueError:
        start_response("503 Service Unavailable", [("Content-Length", "5")], sys.exc_info())
    return [b"sorry"]


def sends_text(start_response):
    start_response("200 OK", [])
    return ["text"]


def bad_status(start_response):
    start_response("OK 200", [])
    return [b""]


def splits_response(start_response):
    start_response("200 OK", [("X-User", "a\r\nSet-Cookie: admin=1")])
    return [b""]


def hop_by_hop(start_response):
    start_response("200 OK", [("Transfer-Encoding", "chunked")])
    return [b""]


def sends_too_little(start_response):
    start_response("200 OK", [("Content-Length", "9")])
    return [b"half"]


def sends_too_much(start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"half and the rest"]


def fine(start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"fine"]


def application(environ, start_response):
    fault = globals()[environ["PATH_INFO"].strip("/") or "fine"]
    return fault(start_response)
