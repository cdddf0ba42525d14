"""What proxies are believed to have said of a client, and what is refused of it."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenserve.errors import BadRequest, NotFound
from greenserve.protocol.fields import Names
from greenserve.protocol.forwarded import CLAIMS, Forwarding, members, parse_forwarded
from greenserve.protocol.head import parse_request_head
from greenserve.protocol.limits import Limits
from greenserve.protocol.peers import Peers

SCHEME_FIELDS = (("X-FORWARDED-PROTOCOL", "ssl"), ("X-FORWARDED-PROTO", "https"), ("X-FORWARDED-SSL", "on"))
PROXIES = ("10.0.0.0/8", "::1")
STRANGER = Names(believed=False, claims=["X-Secure"])


def settle(*fields, proxies=PROXIES, hops=0, believed=CLAIMS, root="", target="/", base=None):
    """Return the environ of a request with *fields* from 10.0.0.1."""
    raw = "\r\n".join([f"GET {target} HTTP/1.1", "Host: inner", *fields, "", ""]).encode("latin-1")
    known = {"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "1", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "SCRIPT_NAME": ""}
    head = parse_request_head(raw, known | (base or {}), Limits(), 0, Names(permitted=["SCRIPT_NAME", "PATH_INFO"]))
    Forwarding(Peers(proxies), hops, believed, SCHEME_FIELDS, root).settle(head.environ)
    return head.environ


# Who the client is.


@pytest.mark.security("rightmost-trusted algorithm with hop count")
@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("127.0.0.1, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.9, 192.0.2.1", "192.0.2.1"),
        ("what a client writes, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1, ::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1"),
        (" ,192.0.2.1 ,, ", "192.0.2.1"),
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("192.0.2.1, _hidden", "10.0.0.1"),
    ],
)
def test_client_is_the_rightmost_that_is_no_proxy(chain, client):
    environ = settle(f"X-Forwarded-For: {chain}")

    assert client == environ["REMOTE_ADDR"]
    assert chain.strip() == environ["HTTP_X_FORWARDED_FOR"]


def test_chain_in_several_fields_is_one_chain():
    environ = settle("X-Forwarded-For: 192.0.2.66", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 10.0.0.2")

    assert "192.0.2.1" == environ["REMOTE_ADDR"]


@pytest.mark.security("rightmost-trusted algorithm with hop count")
@pytest.mark.parametrize(
    ("hops", "client"), [(1, "10.0.0.2"), (2, "192.0.2.1"), (3, "192.0.2.66"), (4, "192.0.2.66"), (100, "192.0.2.66")]
)
def test_hops_count_from_the_right(hops, client):
    environ = settle("X-Forwarded-For: 192.0.2.66, 192.0.2.1, 10.0.0.2", hops=hops)

    assert client == environ["REMOTE_ADDR"]


def test_anyone_as_proxy_counts_for_one():
    """Else the whole chain would be believed, and its left end is whatever the client wrote."""
    environ = settle("X-Forwarded-For: 192.0.2.66, 192.0.2.1", proxies=["*"])

    assert "192.0.2.1" == environ["REMOTE_ADDR"]


@pytest.mark.parametrize(
    ("node", "port"), [("192.0.2.1:5678", "5678"), ("[2001:db8::1]:5678", "5678"), ("192.0.2.1", None), ("192.0.2.1:_x", None)]
)
def test_port_is_the_client_s_or_none(node, port):
    environ = settle(f"X-Forwarded-For: {node}")

    assert port == environ.get("REMOTE_PORT")


@pytest.mark.parametrize(
    "node",
    [
        "localhost",
        "192.0.2.256",
        "192.0.2.1:",
        "192.0.2.1:123456",
        "[::1",
        "1",
        "::1]",
        "_",
        "a b",
        "fe80::1%eth0",
        "::" + "1" * 8000,
    ],
)
def test_client_that_is_no_address_is_refused(node):
    with pytest.raises(BadRequest, match="no address"):
        settle(f"X-Forwarded-For: {node}, 10.0.0.2")


def test_nothing_changes_without_claims():
    assert "REMOTE_PORT" in settle("Accept: */*")


# Forwarded.


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("for=192.0.2.1", [{"for": "192.0.2.1"}]),
        ('For="[2001:db8::1]:80";PROTO=https;by=_x', [{"for": "[2001:db8::1]:80", "proto": "https", "by": "_x"}]),
        ("for=192.0.2.1,for=192.0.2.2", [{"for": "192.0.2.1"}, {"for": "192.0.2.2"}]),
        ("for=192.0.2.1 , , for=192.0.2.2;", [{"for": "192.0.2.1"}, {"for": "192.0.2.2"}]),
        ("for=192.0.2.1; proto=http", [{"for": "192.0.2.1", "proto": "http"}]),
        (r'host="a,b;c=\"d\\"', [{"host": r'a,b;c="d\ '.strip()}]),
        ("", []),
        (" ,;, ", []),
    ],
)
def test_forwarded_is_read(value, elements):
    assert elements == parse_forwarded(value)


@pytest.mark.parametrize(
    "value",
    [
        "for",
        "for=",
        "=1",
        "for =1",
        "for= 1",
        "for=1 proto=http",
        'for="1',
        'for="1, for=2',
        'for="1"x',
        'for="\\"',
        "for=[::1]",
        "for=1;for=1",
        "for=1;For=2",
        "for=1;;=",
        "for=1\x80",
    ],
)
def test_forwarded_that_is_none_is_refused(value):
    """A quote that a client opens must not swallow what a proxy adds behind it."""
    with pytest.raises(BadRequest, match="Forwarded has"):
        parse_forwarded(value)


@given(st.text(alphabet='for=;,"\\ \t1a', max_size=60))
def test_forwarded_is_read_or_refused(value):
    try:
        elements = parse_forwarded(value)
    except BadRequest:
        return
    assert all(elements)


@given(st.lists(st.dictionaries(st.sampled_from(["for", "proto", "host", "x"]), st.text('ab,;=\\" \t', max_size=9), min_size=1)))
def test_what_is_written_as_the_rfc_says_is_read_back(elements):
    def quote(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    written = ", ".join(";".join(f"{name}={quote(value)}" for name, value in element.items()) for element in elements)

    assert elements == parse_forwarded(written)


@pytest.mark.parametrize(
    "junk", ["for=1" + " " * 8000 + "x", '"' * 8000, "a=" + '"\\' * 4000, ";" * 8000 + "=", "a" * 8000, "a=b " * 2000]
)
def test_long_junk_takes_no_long_time(junk):
    began = perf_counter()

    with pytest.raises(BadRequest):
        parse_forwarded(junk)

    assert perf_counter() - began < 0.1


def test_forwarded_names_the_client_and_its_scheme():
    """The element that counts is the one of the first proxy that is ours: the others tell how proxies talk to each other."""
    environ = settle(
        'Forwarded: for=192.0.2.66;proto=ws;host=forged, for="192.0.2.1:99";proto=https;host=shop.test, for=10.0.0.2;proto=http'
    )

    assert "192.0.2.1" == environ["REMOTE_ADDR"]
    assert "99" == environ["REMOTE_PORT"]
    assert "https" == environ["wsgi.url_scheme"]
    assert "shop.test" == environ["HTTP_HOST"]


def test_forwarded_scheme_that_is_none_is_refused():
    with pytest.raises(BadRequest, match="proto='gopher'"):
        settle("Forwarded: for=192.0.2.1;proto=gopher")


# Scheme, host, port.


@pytest.mark.parametrize(
    ("field", "scheme"),
    [
        ("X-Forwarded-Proto: https", "https"),
        ("X-Forwarded-Proto: HTTPS", "https"),
        ("X-Forwarded-Proto: wss", "https"),
        ("X-Forwarded-Proto: https, https", "https"),
        ("X-Forwarded-Proto: http", "http"),
        ("X-Forwarded-Proto: ", "http"),
        ("X-Forwarded-Protocol: ssl", "https"),
        ("X-Forwarded-Ssl: on", "https"),
        ("X-Forwarded-Ssl: off", "http"),
        ("Forwarded: proto=https", "https"),
        ("Forwarded: proto=ws", "http"),
    ],
)
def test_scheme_is_what_the_proxy_was_asked_by(field, scheme):
    environ = settle(field)

    assert scheme == environ["wsgi.url_scheme"]
    assert (scheme == "https") == ("HTTPS" in environ)


def test_scheme_of_our_own_connection_gives_way():
    """A proxy may use TLS on the way to us for a client that did not."""
    environ = settle("X-Forwarded-Proto: http", base={"wsgi.url_scheme": "https", "HTTPS": "on"})

    assert "http" == environ["wsgi.url_scheme"]
    assert "HTTPS" not in environ


@pytest.mark.parametrize(
    "fields",
    [
        ["Forwarded: proto=http", "X-Forwarded-Proto: https"],
        ["X-Forwarded-Proto: https, http"],
        ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"],
        ["X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"],
        ["Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.2"],
        ["Forwarded: host=a", "X-Forwarded-Host: b"],
        ["X-Forwarded-Host: a, b"],
        ["X-Forwarded-Port: 80, 443"],
        ["X-Forwarded-Prefix: /a, /b"],
        ["X-Forwarded-Prefix: /a", "X-Forwarded-Prefix: /b"],
    ],
)
def test_claims_that_contradict_each_other_are_refused(fields):
    with pytest.raises(BadRequest, match="contradict each other"):
        settle(*fields)


@pytest.mark.parametrize(
    "fields",
    [
        ["Forwarded: for=192.0.2.1;proto=https", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"],
        ['Forwarded: for="[2001:db8::1]"', "X-Forwarded-For: 2001:DB8::1"],
        ["Forwarded: host=A", "X-Forwarded-Host: a"],
        ["Forwarded: proto=https", "X-Forwarded-For: 192.0.2.1"],
        ["Forwarded: for=unknown", "X-Forwarded-For: 192.0.2.1"],
    ],
)
def test_claims_that_agree_are_believed(fields):
    settle(*fields)


def test_host_and_port_are_the_proxy_s():
    environ = settle("X-Forwarded-Host: shop.example:8443", "X-Forwarded-Port: 8443")

    assert "shop.example:8443" == environ["HTTP_HOST"]
    assert "8443" == environ["SERVER_PORT"]


def test_claim_that_is_not_believed_changes_nothing():
    fields = [f"X-Forwarded-{name}: /{name}" for name in ("For", "Proto", "Host", "Port", "Prefix")]

    environ = settle(*fields, "Forwarded: for=192.0.2.1;proto=https;host=shop.example", believed=())

    assert {"10.0.0.1", "1", "80", "http", "", "inner"} == {
        environ[key] for key in ("REMOTE_ADDR", "REMOTE_PORT", "SERVER_PORT", "wsgi.url_scheme", "SCRIPT_NAME", "HTTP_HOST")
    }


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-Host: a/b",
        'Forwarded: host="user@a"',
        "X-Forwarded-Port: 0",
        "X-Forwarded-Port: 65536",
        "X-Forwarded-Port: +80",
    ],
)
def test_host_or_port_that_is_none_is_refused(field):
    with pytest.raises(BadRequest):
        settle(field)


# Where the application is mounted.


def test_prefix_was_taken_from_the_path_by_the_proxy():
    environ = settle("X-Forwarded-Prefix: /shop/", target="/shop/cart")

    assert ("/shop", "/shop/cart") == (environ["SCRIPT_NAME"], environ["PATH_INFO"])


def test_script_name_of_a_proxy_is_taken_from_the_path():
    environ = settle("SCRIPT_NAME: /sh%6Fp", target="/shop/cart", root="/elsewhere")

    assert ("/shop", "/cart") == (environ["SCRIPT_NAME"], environ["PATH_INFO"])
    assert "HTTP_SCRIPT_NAME" not in environ


def test_script_name_with_a_hyphen_is_a_client_s_and_counts_for_nothing():
    """Both would become HTTP_SCRIPT_NAME, and a proxy passes this one on."""
    environ = settle("Script-Name: /forged", target="/forged/cart")

    assert ("", "/forged/cart") == (environ["SCRIPT_NAME"], environ["PATH_INFO"])
    assert "HTTP_SCRIPT_NAME" not in environ


@pytest.mark.parametrize("path", ["//evil.example", "shop", "/shop?a", "/shop#a", "/sh op", "/%00", "/\xe4"])
@pytest.mark.parametrize("field", ["X-Forwarded-Prefix", "SCRIPT_NAME"])
def test_mount_that_is_no_path_is_refused(field, path):
    with pytest.raises(BadRequest):
        settle(f"{field}: {path}")


@pytest.mark.parametrize(
    ("target", "path"),
    [("/shop", ""), ("/shop/", "/"), ("/shop/cart", "/cart"), ("/sh%6fp/cart?a", "/cart"), ("/shop//x", "//x")],
)
def test_path_below_the_root_is_split(target, path):
    environ = settle(root="/shop", target=target)

    assert ("/shop", path) == (environ["SCRIPT_NAME"], environ["PATH_INFO"])


@pytest.mark.parametrize("target", ["/", "/shopping", "/SHOP/", "/cart"])
def test_path_outside_the_root_is_not_found(target):
    with pytest.raises(NotFound):
        settle(root="/shop", target=target)


# What others may say.


@pytest.mark.security(
    "forwarded headers only from allowed peers, strip otherwise "
    "(X-Forwarded-*, Forwarded, X-Client-IP, X-Real-IP, `Proxy`→httpoxy)"
)
@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "X-FORWARDED-HOST",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Ssl",
        "X-Forwarded-User",
        "X-Forwarded",
        "X-Client-IP",
        "X-Real-IP",
        "True-Client-IP",
        "Client-Cert",
        "X-Secure",
        "Proxy",
        "SCRIPT_NAME",
    ],
)
def test_claims_of_strangers_are_dropped(parse, name):
    raw = f"GET / HTTP/1.1\r\nHost: a\r\n{name}: 1\r\n{name}: 2\r\n\r\n".encode()

    head = parse(raw, {}, Limits(), 0, STRANGER)

    assert ["HTTP_HOST"] == [key for key in head.environ if key.startswith("HTTP_")]
    assert 2 == head.dropped_fields


def test_other_fields_of_strangers_are_kept(parse):
    head = parse(b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: 1\r\nForwarded-By: 2\r\n\r\n", {}, Limits(), 0, STRANGER)

    assert {"HTTP_X_REQUEST_ID", "HTTP_FORWARDED_BY"} < head.environ.keys()


@pytest.mark.security("TLS client-cert vars cannot be spoofed by headers")
@pytest.mark.parametrize("name", ["SSL_CLIENT_VERIFY", "SSL-Client-Verify", "HTTPS", "Wsgi.Url-Scheme"])
def test_field_never_becomes_what_only_the_server_says(parse, name):
    """Every key that a field can have begins with HTTP_, but for the two of content."""
    head = parse(f"GET / HTTP/1.1\r\nHost: a\r\n{name}: SUCCESS\r\n\r\n".encode(), {}, Limits(), 0, STRANGER)

    assert [] == [key for key, value in head.environ.items() if value == "SUCCESS" and not key.startswith("HTTP_")]


# Peers.


@pytest.mark.security("unix-socket peers are not automatically trusted when world-writable")
def test_unix_socket_is_believed_only_when_it_is_named():
    assert not Peers(["127.0.0.1", "::1", "0.0.0.0/0", "::/0"]).admit("")
    assert Peers(["unix"]).admit("")
    assert Peers(["*"]).admit("")


@pytest.mark.parametrize(
    ("named", "peer", "admitted"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("unix", "127.0.0.1", False),
        ("*", "192.0.2.1", True),
    ],
)
def test_peer_is_admitted_by_address_or_network(named, peer, admitted):
    assert admitted == Peers([named]).admit(peer)


@given(st.text("1, ", max_size=40))
def test_members_are_never_empty(value):
    assert all(member and member == member.strip(" \t") for member in members(value))
