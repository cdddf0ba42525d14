import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenserve.errors import ConfigError
from greenserve.log import Access, compile_access_format

DEFAULT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'


def an_access(**changes):
    """Return an exchange, its environ widened by the keys of `environ`."""
    environ = {
        "REMOTE_ADDR": "10.0.0.7",
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/a%20b?x=1",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "x=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": "http://from/",
        "HTTP_USER_AGENT": "curl/8",
        "HTTP_X_REQUEST_ID": "r-1",
        "CONTENT_TYPE": "text/plain",
        "wsgi.url_scheme": "http",
        "wsgi.input": object(),
    }
    known = {
        "status": "200 OK",
        "fields": [("Content-Type", "text/html"), ("X-Shop", "one"), ("x-shop", "two")],
        "sent": 42,
        "started": 1_700_000_000.9,
        "elapsed": 1.5,
        "pid": 77,
    }
    return Access(environ | changes.pop("environ", {}), **known | changes)


def line_of(format, **changes):
    return compile_access_format(format)(an_access(**changes))


def basic(credentials):
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(credentials).decode()}


@pytest.mark.parametrize(
    ("atom", "text"),
    [
        ("h", "10.0.0.7"),
        ("l", "-"),
        ("u", "-"),
        ("t", "[14/Nov/2023:22:13:20 +0000]"),
        ("r", "GET /a%20b?x=1 HTTP/1.1"),
        ("m", "GET"),
        ("U", "/a b"),
        ("q", "x=1"),
        ("H", "HTTP/1.1"),
        ("s", "200"),
        ("B", "42"),
        ("b", "42"),
        ("f", "http://from/"),
        ("a", "curl/8"),
        ("T", "1"),
        ("M", "1500"),
        ("D", "1500000"),
        ("L", "1.500000"),
        ("p", "<77>"),
        ("{x-request-id}i", "r-1"),
        ("{X-Request-ID}i", "r-1"),
        ("{content-type}i", "text/plain"),
        ("{content-type}o", "text/html"),
        ("{X-Shop}o", "two"),
        ("{wsgi.url_scheme}e", "http"),
        ("{remote_addr}e", "10.0.0.7"),
        ("{wsgi.input}e", "-"),
        ("{nothing}e", "-"),
        ("{nothing}i", "-"),
        ("{nothing}o", "-"),
        ("Z", "-"),
        ("", "-"),
    ],
)
def test_atom(atom, text):
    line = line_of(f"<%({atom})s>")

    assert f"<{text}>" == line


def test_default_format():
    line = line_of(DEFAULT)

    assert '10.0.0.7 - - [14/Nov/2023:22:13:20 +0000] "GET /a%20b?x=1 HTTP/1.1" 200 42 "http://from/" "curl/8"' == line


def test_request_that_was_refused_before_it_was_read_has_a_line():
    line = compile_access_format(DEFAULT)(Access({}, 400, [], None, 0.0, 0.0, 1))

    assert '- - - [01/Jan/1970:00:00:00 +0000] "- - -" 400 - "-" "-"' == line


@pytest.mark.parametrize(
    ("environ", "user"),
    [
        (basic(b"ann:secret"), "ann"),
        (basic(b"a\nb:secret"), r"a\x0ab"),
        (basic(b"secret-token-without-colon"), "-"),
        (basic(b":secret"), "-"),
        ({"HTTP_AUTHORIZATION": "Basic !!!"}, "-"),
        ({"HTTP_AUTHORIZATION": "Basic \xff"}, "-"),
        ({"HTTP_AUTHORIZATION": "Bearer YW5uOng="}, "-"),
        ({"HTTP_AUTHORIZATION": ""}, "-"),
    ],
)
def test_user_is_named_and_nothing_secret_is(environ, user):
    line = line_of("%(u)s", environ=environ)

    assert user == line


def test_connection_without_an_address_is_a_dash():
    line = line_of("%(h)s", environ={"REMOTE_ADDR": ""})

    assert "-" == line


def test_durations_do_not_wrap_after_a_day():
    line = line_of("%(T)s %(M)s %(D)s %(L)s", elapsed=100_000.25)

    assert "100000 100000250 100000250000 100000.250000" == line


@pytest.mark.parametrize(
    ("format", "line"),
    [("%(D)d", "1500000"), ("%(T)03d|", "001|"), ("%(m)6s|", "   GET|"), ("%(m)-6s|", "GET   |"), ("100%%", "100%"), ("", "")],
)
def test_layout_is_python_s(format, line):
    assert line == line_of(format)


def test_number_nobody_knows_is_a_dash():
    assert "- -" == line_of("%(B)d %(b)s", sent=None)


@pytest.mark.parametrize(
    ("format", "found", "place"),
    [
        ("%(h)d", "%(h)d", 1),
        ("%(m)s %(h)x", "%(h)x", 7),
        ("a %q", "%", 3),
        ("%(h)", "%", 1),
        ("%(h", "%", 1),
        ("50%", "%", 3),
        ("%(h)9999s", "%", 1),
    ],
)
def test_format_that_cannot_be_read_is_refused_with_its_place(format, found, place):
    with pytest.raises(ConfigError, match=re.escape(f"{found!r} at character {place}")):
        compile_access_format(format)


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (True, "1"), (None, "-"), (b"x", "-"), ("\udc80", r"\udc80"), ("", "")])
def test_value_that_is_no_plain_text(value, text):
    line = line_of("%(m)s|%({odd}e)s|", environ={"odd": value})

    assert f"GET|{text}|" == line


def test_text_of_a_class_of_its_own_is_text():
    class Text(str):
        """What template engines mark their strings with."""

    line = line_of("%(m)s %(r)s %(u)s", environ={"REQUEST_METHOD": Text("P\n"), "HTTP_AUTHORIZATION": Text("Basic YW5uOng=")})

    assert r"P\x0a P\x0a /a%20b?x=1 HTTP/1.1 ann" == line


@given(st.text(min_size=1) | st.text('ab"\\\n', min_size=1), st.sampled_from(["h", "u", "r", "m", "s", "{x}i", "{x}o"]))
def test_value_is_the_same_alone_and_among_others(text, atom):
    """A line is looked at as a whole; one that has a width, by itself."""
    changes = {"status": text, "fields": [("x", text)]}
    environ = dict.fromkeys(["REMOTE_ADDR", "REQUEST_METHOD", "RAW_URI", "SERVER_PROTOCOL", "HTTP_X"], text)
    environ |= basic(text.encode("utf-8", "replace") + b":")

    alone = line_of(f"%({atom})1s", environ=environ, **changes)
    among_others = line_of(f'"%(T)s" \\ %({atom})s \u2192 %(L)s', environ=environ, **changes)

    assert f'"1" \\ {alone} \u2192 1.500000' == among_others


def test_hostile_request_stays_on_its_line():
    line = line_of('"%(U)s" "%(a)s"', environ={"PATH_INFO": '/\n\x1b[2J"\\', "HTTP_USER_AGENT": "\x9b\x7f\xe9"})

    assert r'"/\x0a\x1b[2J\x22\x5c" "\x9b\x7f\xe9"' == line


@pytest.mark.security("log injection: escape CTL/ANSI in every atom")
@given(st.text(), st.sampled_from(["h", "u", "r", "m", "U", "q", "H", "s", "f", "a", "{x}i", "{x}o", "{x}e"]))
def test_no_value_can_write_anything_but_printable_ascii(text, atom):
    environ = dict.fromkeys(
        ["REMOTE_ADDR", "REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "HTTP_REFERER"], text
    )
    environ |= {"HTTP_USER_AGENT": text, "HTTP_X": text, "x": text} | basic(text.encode("utf-8", "replace") + b":")

    line = line_of(f"%({atom})s", environ=environ, status=text, fields=[("x", text)])

    assert re.fullmatch(r"(\\(?=x|u|U)|[ !#-\[\]-~])*", line)
