"""An access line for machines: one JSON object, whatever a client sent."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenserve.log import Access, compile_access_format

KNOWN = {
    "REMOTE_ADDR": "10.0.0.7",
    "REQUEST_METHOD": "GET",
    "RAW_URI": "/a%20b?x=1",
    "PATH_INFO": "/a b",
    "QUERY_STRING": "x=1",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "shop.example",
    "HTTP_USER_AGENT": "curl/8",
    "wsgi.url_scheme": "https",
    "wsgi.input": object(),
}


def read_line(environ, **changes):
    known = {"status": "200 OK", "fields": [("Content-Type", "text/html")], "sent": 42, "started": 1_700_000_000.25}
    return compile_access_format("json")(Access(environ, **known | {"elapsed": 1.5, "pid": 77} | changes))


def test_every_key_is_there():
    found = json.loads(read_line(KNOWN))

    assert {
        "time": "2023-11-14T22:13:20.250Z",
        "remote_addr": "10.0.0.7",
        "user": None,
        "method": "GET",
        "scheme": "https",
        "host": "shop.example",
        "target": "/a%20b?x=1",
        "path": "/a b",
        "query": "x=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes": 42,
        "duration": 1.5,
        "content_type": "text/html",
        "referer": None,
        "user_agent": "curl/8",
        "request_id": None,
        "forwarded_for": None,
        "pid": 77,
    } == found


def test_request_that_was_refused_before_it_was_read_has_the_same_keys():
    found = json.loads(read_line({}, status=400, fields=[], sent=None))

    assert json.loads(read_line(KNOWN)).keys() == found.keys()
    assert (400, None, None) == (found["status"], found["method"], found["bytes"])


def test_text_is_the_one_that_was_meant():
    found = json.loads(read_line({"HTTP_USER_AGENT": "Größe".encode().decode("latin-1"), "PATH_INFO": "\xff"}))

    assert ("Größe", "\\xff") == (found["user_agent"], found["path"])


def test_only_text_is_shown():
    class Text(str):
        """What template engines mark their strings with."""

    found = json.loads(read_line({"HTTP_HOST": 7, "HTTP_REFERER": Text("there")}, fields=[("content-type", b"")], status="a"))

    assert (None, "there", None, None) == (found["host"], found["referer"], found["content_type"], found["status"])


@pytest.mark.security("log injection: escape CTL/ANSI in every atom")
@given(st.text())
def test_no_value_can_write_anything_but_printable_ascii(text):
    keys = [key for key in KNOWN if key != "wsgi.input"]

    line = read_line(dict.fromkeys([*keys, "HTTP_AUTHORIZATION"], text), status=text, fields=[("content-type", text)])

    assert re.fullmatch("[ -~]*", line)
    assert isinstance(json.loads(line), dict)
