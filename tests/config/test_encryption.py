"""The settings of TLS: how they are written, and what nobody gets to see."""

import pytest

from greenserve.config import SETTINGS, Config
from greenserve.config.encryption import NamedCertificate
from greenserve.errors import ConfigError
from greenserve.kinds import Refused
from greenserve.sources import describe_config, load_config

HOOK = """\
def helper():
    pass

def ssl_context(config, default_ssl_context_factory):
    return default_ssl_context_factory()
"""


@pytest.fixture
def load(tmp_path):
    return lambda *argv, **environ: load_config(["app:app", *argv], environ, tmp_path)


def read(name, given):
    return SETTINGS[name].kind.read(given)


@pytest.mark.parametrize(
    ("given", "means"), [(0, "none"), (1, "optional"), ("2", "required"), ("Required", "required"), ("none", "none")]
)
def test_cert_reqs_takes_words_and_the_numbers_of_gunicorn(given, means):
    assert means == read("cert_reqs", given)


@pytest.mark.parametrize("given", [3, -1, True, "3", "always", "", None])
def test_other_cert_reqs_are_refused(given):
    with pytest.raises(Refused, match="none, optional, required"):
        read("cert_reqs", given)


@pytest.mark.parametrize(("given", "means"), [("tlsv1.3", "TLSv1.3"), ("TLSv1.2", "TLSv1.2")])
def test_version_is_read_in_any_case(given, means):
    assert means == read("ssl_minimum_version", given)


def test_versions_that_nobody_should_speak_are_refused():
    with pytest.raises(Refused, match=r"TLSv1\.2 or TLSv1\.3"):
        read("ssl_minimum_version", "TLSv1.1")


def test_sni_may_be_repeated_and_its_paths_start_in_chdir(load, tmp_path):
    config = load("--self-signed", "--sni", "Shop.example=shop.pem,shop.key", "--sni", "*.shop.example=/all.pem").config

    assert config.sni == (
        NamedCertificate("shop.example", f"{tmp_path}/shop.pem", f"{tmp_path}/shop.key"),
        NamedCertificate("*.shop.example", "/all.pem", None),
    )


def test_sni_can_be_a_table_in_a_file(load, tmp_path):
    (tmp_path / "greenserve.toml").write_text('[sni]\n"a.example" = ["a.pem", "a.key"]\n"b.example" = "b.pem"\n')

    config = load("--self-signed").config

    assert config.sni == (
        NamedCertificate("a.example", f"{tmp_path}/a.pem", f"{tmp_path}/a.key"),
        NamedCertificate("b.example", f"{tmp_path}/b.pem", None),
    )


@pytest.mark.parametrize("given", ["a.example", "=a.pem", "a b=a.pem", "a.example=a,b,c", "a.example=", "*a.example=a", {"a": 1}])
def test_other_sni_is_refused(given):
    with pytest.raises(Refused, match="NAME=CERTFILE"):
        read("sni", given)


def test_password_of_a_key_is_never_shown(load):
    loaded = load("--self-signed", GREENSERVE_KEYFILE_PASSWORD="open sesame")

    assert "open sesame" == loaded.config.keyfile_password
    assert "sesame" not in describe_config(loaded)
    assert "sesame" not in repr(loaded.config)


def test_function_of_a_python_file_is_a_hook_if_a_setting_has_its_name(load, tmp_path):
    (tmp_path / "greenserve.conf.py").write_text(HOOK)

    loaded = load()

    assert "made" == loaded.config.ssl_context(loaded.config, lambda: "made")
    assert "greenserve.conf.py line 4" == loaded.origins["ssl_context"]
    assert "ssl_context()" in describe_config(loaded)


def test_hook_that_is_no_function_is_refused_with_its_place(load, tmp_path):
    (tmp_path / "greenserve.conf.py").write_text("ssl_context = 'module:function'\n")

    with pytest.raises(ConfigError, match=r"greenserve\.conf\.py line 1: .*is not a function ssl_context\(config"):
        load()


def test_hook_cannot_be_a_variable(load):
    with pytest.raises(ConfigError, match="is not a function"):
        load(GREENSERVE_SSL_CONTEXT="module:function")


@pytest.mark.parametrize("given", [{"certfile": "a"}, {"self_signed": True}, {"ssl_context": print}])
def test_each_source_of_a_certificate_means_tls(given):
    assert Config(**given).tls
    assert not Config().tls


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--cert-reqs", "required"), "cert_reqs is set, but there is no certfile, so nothing would be encrypted"),
        (("--keyfile", "a.key"), "keyfile is set, but there is no certfile, so nothing would be encrypted"),
        (("--ca-certs", "a.pem"), "ca_certs is set, but there is no certfile, so nothing would be encrypted"),
        (
            ("--self-signed", "--cert-reqs", "optional"),
            "cert_reqs is optional, and needs ca_certs: the authorities that clients are signed by",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(load, flags, words):
    """Whoever asks for client certificates must not get a server that asks nobody."""
    with pytest.raises(ConfigError, match=f"^{words}$"):
        load(*flags)

    assert "print-config" == load(*flags, "--print-config").action


def test_hook_may_ask_for_client_certificates_in_its_own_way(load, tmp_path):
    (tmp_path / "greenserve.conf.py").write_text(HOOK)

    assert "required" == load("--cert-reqs", "required").config.cert_reqs
