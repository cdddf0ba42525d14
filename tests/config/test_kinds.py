"""What a person may write for each kind of value, and what they are told otherwise."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenserve.config import SETTINGS
from greenserve.config.workers import Workers
from greenserve.kinds import (
    Account,
    Address,
    Bind,
    Choice,
    File,
    Maybe,
    Permissions,
    Refused,
    Seconds,
    Several,
    Size,
    Switch,
    Text,
    Variable,
    Whole,
    quoted,
    suggest,
)


def tcp(host, port):
    return Address("tcp", host=host, port=port)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Whole(), "0", 0),
        (Whole(), 7, 7),
        (Workers(), "4", 4),
        (Workers(), "auto", "auto"),
        (Seconds(), "1.5", 1.5),
        (Seconds(), 30, 30.0),
        (Size(), "8190", 8190),
        (Size(), "64k", 65536),
        (Size(), "10M", 10 << 20),
        (Size(), "1g", 1 << 30),
        (Switch(), "Yes", True),
        (Switch(), "0", False),
        (Switch(), True, True),
        (Choice("debug", "info", metavar="LEVEL"), "INFO", "info"),
        (Permissions("mask", "0o022"), "0o22", 0o22),
        (Permissions("mask", "0o022"), "022", 0o22),
        (Permissions("mask", "0o022"), "22", 0o22),
        (Permissions("mask", "0o022"), 0o27, 0o27),
        (Account("user"), "root", "root"),
        (Account("user"), "65534", 65534),
        (Account("group"), 0, 0),
        (Variable(), "A=b=c, d", "A=b=c, d"),
        (Maybe(Whole()), "", None),
        (Maybe(Whole()), None, None),
        (Maybe(Whole()), "3", 3),
        (Several(Whole()), "1, 2", (1, 2)),
        (Several(Whole()), [1, "2"], (1, 2)),
        (Several(Whole()), "", ()),
        (Several(Variable(), separator="\n"), "A=1,2\nB=3", ("A=1,2", "B=3")),
    ],
)
def test_text_and_native_values_are_read_alike(kind, given, expected):
    assert expected == kind.read(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1:8000", tcp("127.0.0.1", 8000)),
        ("Example.org:0", tcp("example.org", 0)),
        ("tcp://10.0.0.1:80", tcp("10.0.0.1", 80)),
        ("[::1]:8000", tcp("::1", 8000)),
        ("[fe80::1%eth0]:80", tcp("fe80::1%eth0", 80)),
        (":8000", tcp("0.0.0.0", 8000)),
        ("*:8000", tcp("0.0.0.0", 8000)),
        ("9000", tcp("127.0.0.1", 9000)),
        (9000, tcp("127.0.0.1", 9000)),
        ("0.0.0.0", tcp("0.0.0.0", 8000)),
        ("localhost", tcp("localhost", 8000)),
        ("[::]", tcp("::", 8000)),
        ("unix:/run/a.sock", Address("unix", path="/run/a.sock")),
        ("unix:///run/a.sock", Address("unix", path="/run/a.sock")),
        ("unix:@name", Address("unix", path="@name")),
        ("fd://3", Address("fd", fd=3)),
    ],
)
def test_every_spelling_of_an_address_is_read(given, expected):
    assert expected == Bind().read(given)


@pytest.mark.parametrize("spelling", ["127.0.0.1:8000", "[::1]:8000", "unix:/run/a.sock", "fd://3"])
def test_an_address_is_spelled_as_it_is_read(spelling):
    assert spelling == str(Bind().read(spelling))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a:b",
        "a:1:2",
        "127.0.0.1:65536",
        "70000",
        "many",
        "[::1",
        "[nonsense]:80",
        "unix:",
        "fd://x",
        "fd://99999999999",
        "a b:80",
        "http://a:80",
        True,
        None,
        1.5,
    ],
)
def test_what_is_no_address_is_refused(given):
    with pytest.raises(Refused, match=r"^is not HOST:PORT, \[IPv6\]:PORT, unix:PATH, unix:@NAME, fd://N, or a port$|^is not"):
        Bind().read(given)


def test_an_ipv6_address_without_brackets_is_told_about_them():
    with pytest.raises(Refused, match="an IPv6 address stands in brackets"):
        Bind().read("::1:8000")


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Whole(1), "0", "is not a whole number from 1 up"),
        (Whole(1, 9), 10, "is not a whole number from 1 to 9"),
        (Whole(), True, "is not a whole number from 0 up"),
        (Whole(), "\u0661", "is not a whole number from 0 up"),
        (Whole(), "1_000", "is not a whole number from 0 up"),
        (Workers(), 0, 'is not a whole number from 1 up, or "auto"'),
        (Workers(), 10**18, "is more workers than one server may have (10000)"),
        (Seconds(), "-1", "is not a number of seconds from 0 up"),
        (Seconds(), float("nan"), "is not a number of seconds from 0 up"),
        (Seconds(), float("inf"), "is not a number of seconds from 0 up"),
        (Seconds(), 10**400, "is not a number of seconds from 0 up"),
        (Seconds(), True, "is not a number of seconds from 0 up"),
        (Seconds(zero=False), 0, "is not a number of seconds above 0"),
        (Size(), "10q", "is not a number of bytes from 0 up, such as 8190, 64k, 10m or 1g"),
        (Size(1), 0, "is not a number of bytes from 1 up, such as 8190, 64k, 10m or 1g"),
        (Switch(), "maybe", "is not true or false"),
        (Switch(), 1, "is not true or false"),
        (Choice("debug", "info", metavar="LEVEL"), "inof", "is not one of debug, info; did you mean info?"),
        (Permissions("mask", "0o022"), "888", "is not an octal mask from 0 to 0o777, such as 0o022"),
        (Permissions("mask", "0o022"), 0o1000, "is not an octal mask from 0 to 0o777, such as 0o022"),
        (Account("user"), "roto", "is not a user of this system; did you mean root?"),
        (Account("group"), "no-such-thing-at-all", "is not a group of this system"),
        (Account("user"), -1, "is not the name or number of a user"),
        (Account("user"), 2**32 - 1, "is not the name or number of a user"),
        (Variable(), "A", "is not NAME=VALUE"),
        (Variable(), "A B=c", "is not NAME=VALUE"),
        (Text(), 5, "is not a text"),
        (Text(), "a\0b", "is not a text"),
        (Text(), "\ud800", "is not a text"),
        (File(), "\ud800", "is not a path"),
        (File("stdout"), "", 'is not a path, or "-" for stdout'),
        (Maybe(Whole()), "x", "is not a whole number from 0 up"),
        (Several(Whole()), ["x"], "is not a whole number from 0 up"),
        (Several(Whole()), [1, "x"], 'has "x", which is not a whole number from 0 up'),
        (Several(Whole(), least=1), [], "is not a whole number from 0 up"),
        (Several(Variable()), ["A=1", "B C=hush"], 'has "B C=***, which is not NAME=VALUE'),
    ],
)
def test_a_refusal_says_what_was_expected(kind, given, expected):
    with pytest.raises(Refused) as caught:
        kind.read(given)

    assert expected == str(caught.value)


def test_name_of_a_file_may_be_bytes_that_are_no_text():
    """As os.fsdecode() gives them, from the command line or a variable."""
    assert "/srv/\udcff" == File().read("/srv/\udcff")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Size(), 1 << 30, "1g"),
        (Size(), 8190, "8190"),
        (Size(), 0, "0"),
        (Seconds(), 30.0, "30"),
        (Seconds(), 0.5, "0.5"),
        (Permissions("mask", "0o022"), 0o22, "0o022"),
        (Switch(), False, "false"),
        (Maybe(Whole()), None, "none"),
        (Several(Whole()), (), "none"),
        (Several(Whole()), (1, 2), "1, 2"),
        (Text(), "a\x1b[2J", r'"a\u001b[2J"'),
        (Variable(), "SECRET_KEY=hush", "SECRET_KEY=***"),
        (Variable(), "DB_PASSWORD=hush", "DB_PASSWORD=***"),
        (Variable(), "API_TOKEN=hush", "API_TOKEN=***"),
        (Variable(), "DATABASE_URL=postgresql://u:hush@db/x", "DATABASE_URL=postgresql://u:***@db/x"),
        (Variable(), "CACHE=redis://:hu@sh@cache/0", "CACHE=redis://:***@cache/0"),
        (Variable(), "MODE=production", "MODE=production"),
    ],
)
def test_a_value_is_shown_as_it_is_written_and_without_secrets(kind, value, expected):
    assert expected == kind.show(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (File(), "a/../b", "/srv/b"),
        (File(), "/a", "/a"),
        (File(), "-", "/srv/-"),
        (File("stderr"), "-", "-"),
        (Maybe(File()), None, None),
        (Several(File()), ("a", "/b"), ("/srv/a", "/b")),
        (Bind(), Address("unix", path="a.sock"), Address("unix", path="/srv/a.sock")),
        (Bind(), Address("unix", path="@name"), Address("unix", path="@name")),
        (Bind(), tcp("a", 1), tcp("a", 1)),
    ],
)
def test_relative_paths_are_anchored(kind, value, expected):
    assert expected == kind.anchor(value, "/srv")


def test_a_list_that_holds_itself_can_be_quoted():
    """A Python file may make one, and whoever refuses it says what it is."""
    endless = []
    endless.append(endless)

    assert "[[...]]" == quoted(endless)


def test_nothing_is_suggested_where_nothing_is_near():
    assert "" == suggest("zzz", ["workers", "bind"])


every_value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.text(alphabet="0123456789:[].-kmgfd/unix"),
    st.lists(st.text() | st.integers() | st.none()),
    st.dictionaries(st.text(), st.integers()),
)


@settings(deadline=None)
@given(value=every_value)
def test_any_value_is_read_or_refused(value):
    """And what is read can be kept in a frozen Config, and shown on one line of a terminal."""
    for setting in SETTINGS.values():
        with suppress(Refused):
            read = setting.kind.read(value)

            assert isinstance(hash(read), int)
            assert setting.kind.show(read).isprintable()
