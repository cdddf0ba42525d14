"""The PROXY protocol: what a header says, what is none, and that nothing behind it is touched."""

import ipaddress
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenserve.errors import ProxyHeaderRefused
from greenserve.protocol.proxy import MAX_V1, MAX_V2, SIGNATURE, Passage, ProxyHeader, parse_proxy_header


def v2(command=0x21, family=0x11, addresses=b"\xc0\0\2\1\xcb\0\x71\5\xdc\x04\0P", more=b""):
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses + more)) + addresses + more


def read(data, version="auto"):
    """Return what is read from *data* as a connection reads it: the header, and what is left behind it."""
    taken = 0
    while True:
        found = parse_proxy_header(data[:taken], version)
        if isinstance(found, ProxyHeader):
            return found.passage, data[taken:]
        assert found > 0
        if taken + found > len(data):
            return "more", b""
        taken += found


V6 = ipaddress.IPv6Address("2001:db8::1").packed + ipaddress.IPv6Address("2001:db8::2").packed + b"\xdc\x04\1\xbb"

GOOD = [
    (b"PROXY TCP4 192.0.2.1 203.0.113.5 56324 80\r\n", Passage("TCP4", "192.0.2.1", 56324, "203.0.113.5", 80)),
    (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Passage("TCP4", *("255.255.255.255", 65535) * 2)),
    (b"PROXY TCP4 1.1.1.1 1.1.1.1 0 1\r\n", Passage("TCP4", "1.1.1.1", 0, "1.1.1.1", 1)),
    (b"PROXY TCP6 2001:DB8::1 2001:db8::2 56324 443\r\n", Passage("TCP6", "2001:db8::1", 56324, "2001:db8::2", 443)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::ffff ffff::1 65535 65535\r\n", None),
    (b"PROXY UNKNOWN " + b"x" * (MAX_V1 - 16) + b"\r\n", None),
    (v2(), Passage("TCP4", "192.0.2.1", 56324, "203.0.113.5", 80)),
    (v2(family=0x21, addresses=V6), Passage("TCP6", "2001:db8::1", 56324, "2001:db8::2", 443)),
    (v2(more=b"\x04\0\1x"), Passage("TCP4", "192.0.2.1", 56324, "203.0.113.5", 80)),
    (v2(more=b"x" * (MAX_V2 - 28)), Passage("TCP4", "192.0.2.1", 56324, "203.0.113.5", 80)),
    (v2(command=0x20), None),
    (v2(command=0x20, family=0, addresses=b""), None),
    (v2(family=0, addresses=b""), None),
    (v2(family=0x31, addresses=bytes(216)), None),
]


@pytest.mark.parametrize(("header", "passage"), GOOD)
@pytest.mark.parametrize("behind", [b"", b"G", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"PROXY UNKNOWN\r\n"])
def test_header_is_read_to_its_last_byte_and_no_further(header, passage, behind):
    assert (passage, behind) == read(header + behind)


@pytest.mark.parametrize(("header", "passage"), GOOD)
def test_header_that_is_cut_is_waited_for(header, passage):
    for cut in range(len(header)):
        found = parse_proxy_header(header[:cut], "auto")
        assert isinstance(found, int)
        assert 0 < found <= len(header) - cut


BAD = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\0\xa5\1\0\0\xa1\3\3\0\0\0\0\0",
    b"proxy TCP4 192.0.2.1 203.0.113.5 56324 80\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.5 56324 80\n",
    b"PROXY\r\n" + b"GET / HTTP/1.1\r\n",
    b"PROXY  TCP4 192.0.2.1 203.0.113.5 56324 80\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.5 56324 80 \r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.5 56324\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.5 056324 80\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.5 +5632 80\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.5 56324 65536\r\n",
    b"PROXY TCP4 192.0.2.256 203.0.113.5 56324 80\r\n",
    b"PROXY TCP4 192.0.2.01 203.0.113.5 56324 80\r\n",
    b"PROXY TCP4 2001:db8::1 2001:db8::2 56324 80\r\n",
    b"PROXY TCP6 192.0.2.1 203.0.113.5 56324 80\r\n",
    b"PROXY TCP4 192.0.2.\xb2 203.0.113.5 56324 80\r\n",
    b"PROXY TCP6 fe80::1%eth0 2001:db8::2 56324 80\r\n",
    b"PROXY TCP5 192.0.2.1 203.0.113.5 56324 80\r\n",
    b"PROXY UNKNOWNX........\r\n",
    b"PROXY UNKNOWN a\rb\r\n",
    b"PROXY UNKNOWN " + b"x" * (MAX_V1 - 15) + b"\r\n",
    b"PROXY " + b"x" * 10_000,
    SIGNATURE[:-1] + b"x" + v2()[12:],
    v2(command=0x11),
    v2(command=0x22),
    v2(family=0x12),
    v2(family=0x51),
    v2(addresses=b"\xc0\0\2\1\xcb\0\x71\5\xdc\x04\0"),
    v2(family=0x21),
    v2(family=0x31, addresses=bytes(215)),
    v2(more=b"x" * (MAX_V2 - 27)),
    v2(more=b"x" * 60_000),
]


@pytest.mark.parametrize("data", BAD)
def test_anything_else_is_refused(data):
    with pytest.raises(ProxyHeaderRefused):
        read(data + bytes(100))


@pytest.mark.parametrize(("version", "header"), [("v1", v2()), ("v2", b"PROXY UNKNOWN\r\n" + bytes(10))])
def test_other_version_than_the_one_agreed_on_is_refused(version, header):
    with pytest.raises(ProxyHeaderRefused):
        read(header, version)


@pytest.mark.parametrize(("version", "header"), [("v2", v2()), ("v1", b"PROXY UNKNOWN\r\n")])
def test_version_that_was_agreed_on_is_read(version, header):
    read(header, version)


@given(st.binary(max_size=200), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\0\x0c"]))
def test_any_bytes_are_read_refused_or_waited_for(data, start):
    with suppress(ProxyHeaderRefused):
        read(start + data)
