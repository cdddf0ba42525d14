"""The settings that say whom to believe."""

from pathlib import Path

import pytest

from greenserve.config.application import Mount
from greenserve.config.proxies import Peer, ProxyProtocol, SecureFields
from greenserve.errors import ConfigError
from greenserve.kinds import Refused
from greenserve.sources import load_config


@pytest.mark.parametrize(
    ("given", "value"),
    [("127.0.0.1", "127.0.0.1"), ("2001:DB8::1", "2001:db8::1"), ("10.0.0.0/8", "10.0.0.0/8"), ("unix", "unix"), ("*", "*")],
)
def test_peer_is_read(given, value):
    assert value == Peer().read(given)


@pytest.mark.parametrize("given", ["localhost", "10.0.0.1/8", "10.0.0", "", "10.*", 1, "UNIX"])
def test_peer_that_is_none_is_refused(given):
    """10.0.0.1/8 too: who writes it may mean the one address, or all sixteen million."""
    with pytest.raises(Refused, match="is not an address"):
        Peer().read(given)


@pytest.mark.parametrize("given", [{"X-Proto": "https", "X-Ssl": "on"}, "X-Proto=https, X-Ssl=on", ["X-Proto=https", "X-Ssl=on"]])
def test_secure_fields_are_read_as_gunicorn_writes_them_and_as_text(given):
    assert (("X-Proto", "https"), ("X-Ssl", "on")) == SecureFields().read(given)


@pytest.mark.parametrize("given", ["X-Proto", "=https", "X-Proto=", {"X Proto": "https"}, {"X-Proto": 1}, {1: "https"}])
def test_secure_fields_that_are_none_are_refused(given):
    with pytest.raises(Refused, match="NAME=VALUE"):
        SecureFields().read(given)


@pytest.mark.parametrize(("given", "value"), [("/shop", "/shop"), ("/shop/", "/shop"), ("/a/ü", "/a/ü"), ("/", ""), ("", "")])
def test_mount_has_no_slash_at_its_end(given, value):
    assert value == Mount().read(given)


@pytest.mark.parametrize("given", ["shop", "//shop", "/a?b", "/a b", "/a%20b"])
def test_mount_that_is_no_path_is_refused(given):
    with pytest.raises(Refused, match="begins with one slash"):
        Mount().read(given)


@pytest.mark.parametrize(("given", "value"), [(True, "auto"), (False, "off"), ("V2", "v2"), ("auto", "auto")])
def test_proxy_protocol_is_a_version_or_gunicorn_s_truth(given, value):
    assert value == ProxyProtocol().read(given)


def test_variables_of_gunicorn_are_heard():
    environ = {"FORWARDED_ALLOW_IPS": "10.0.0.0/8,unix", "SCRIPT_NAME": "/shop/"}

    loaded = load_config(["app"], environ, Path.cwd())

    assert ("10.0.0.0/8", "unix") == loaded.config.forwarded_allow_ips
    assert "/shop" == loaded.config.mounted_at
    assert "variable SCRIPT_NAME" == loaded.origins["root_path"]


def test_application_s_own_script_name_is_heard():
    loaded = load_config(["app", "-e", "SCRIPT_NAME=/shop"], {}, Path.cwd())

    assert "/shop" == loaded.config.mounted_at


def test_flag_overrules_the_variable():
    loaded = load_config(["app", "--forwarded-allow-ips", "*"], {"FORWARDED_ALLOW_IPS": "10.0.0.1"}, Path.cwd())

    assert ("*",) == loaded.config.forwarded_allow_ips


def test_variable_that_is_no_peer_is_refused():
    with pytest.raises(ConfigError, match=r"^FORWARDED_ALLOW_IPS=localhost is not an address"):
        load_config(["app"], {"FORWARDED_ALLOW_IPS": "localhost"}, Path.cwd())
