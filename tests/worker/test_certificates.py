"""Certificates and keys from files, and the sentence for each that cannot be used."""

import os
import ssl
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from greenserve.config import Config
from greenserve.config.encryption import NamedCertificate
from greenserve.errors import WorkerBootError
from greenserve.worker.certificates import make_context
from greenserve.worker.selfsigned import find_certificate
from tests.support.authority import encrypt_key


@pytest.fixture
def pair(authority):
    return authority.issue("localhost")


@pytest.fixture
def refusal():
    """Make a context, and return the sentence it is refused with."""

    def refusal(**settings):
        with pytest.raises(WorkerBootError) as caught:
            make_context(Config(**settings))
        return str(caught.value)

    return refusal


def connect(server, asked_for="localhost", trusted=None, certificate=None):
    """Shake hands in memory; return the names in the certificate that the client got."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(trusted)
    if certificate is not None:
        client.load_cert_chain(*certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=asked_for)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs) * 3:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return [name for _, name in ours.getpeercert()["subjectAltName"]]


def test_without_a_certificate_there_is_no_tls():
    assert make_context(Config()) is None


def test_key_may_stand_beside_its_certificate(pair, tmp_path, authority):
    both = tmp_path / "both.pem"
    both.write_bytes(Path(pair.certfile).read_bytes() + Path(pair.keyfile).read_bytes())

    context = make_context(Config(certfile=str(both)))

    assert ["localhost"] == connect(context, trusted=authority.path)


def test_encrypted_key_is_opened_with_the_password(pair, authority):
    encrypt_key(pair.keyfile, "sesame")

    context = make_context(Config(certfile=pair.certfile, keyfile=pair.keyfile, keyfile_password="sesame"))

    assert ["localhost"] == connect(context, trusted=authority.path)


def test_client_gets_the_certificate_of_the_name_it_asks_for(authority, pair):
    shop, all_shops = authority.issue("shop.example"), authority.issue("*.shop.example")
    sni = (NamedCertificate("shop.example", *shop), NamedCertificate("*.shop.example", *all_shops))
    context = make_context(Config(certfile=pair.certfile, keyfile=pair.keyfile, sni=sni))

    asked = ["shop.example", "a.shop.example", "a.b.shop.example", "other.example", None]
    got = [connect(context, name, authority.path) for name in asked]

    assert [["shop.example"], ["*.shop.example"], ["localhost"], ["localhost"], ["localhost"]] == got


def test_hook_may_change_the_context(pair):
    def ssl_context(config, default_ssl_context_factory):
        context = default_ssl_context_factory()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    context = make_context(Config(certfile=pair.certfile, keyfile=pair.keyfile, ssl_context=ssl_context))

    assert ssl.TLSVersion.TLSv1_3 == context.minimum_version


def test_hook_that_returns_nothing_is_refused(refusal):
    assert "the ssl_context function returned NoneType, not an ssl.SSLContext" == refusal(ssl_context=lambda *_: None)


def test_hook_that_raises_is_said_in_a_sentence(refusal):
    def ssl_context(config, default_ssl_context_factory):
        raise LookupError("no vault")

    assert "the ssl_context function raised LookupError: no vault" == refusal(ssl_context=ssl_context)


# What cannot be used.


def test_file_that_is_not_there(refusal, tmp_path):
    assert f"certfile {tmp_path}/no.pem cannot be read: No such file or directory" == refusal(certfile=f"{tmp_path}/no.pem")


def test_file_that_is_no_certificate(refusal, tmp_path):
    (tmp_path / "a.pem").write_text("hello")

    assert f"certfile {tmp_path}/a.pem has no certificate in PEM form" == refusal(certfile=f"{tmp_path}/a.pem")


def test_file_that_is_damaged(refusal, tmp_path):
    (tmp_path / "a.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"
    )

    assert refusal(certfile=f"{tmp_path}/a.pem").startswith(f"certfile {tmp_path}/a.pem with the key in {tmp_path}/a.pem cannot")


def test_key_that_is_missing(refusal, pair):
    expected = f"certfile {pair.certfile} has no private key in PEM form, and there is no keyfile"

    assert expected == refusal(certfile=pair.certfile)


def test_key_of_another_certificate(refusal, pair, authority):
    other = authority.issue("other.example").keyfile

    expected = f"the key in keyfile {other} does not belong to the certificate in {pair.certfile}"

    assert expected == refusal(certfile=pair.certfile, keyfile=other)


def test_key_under_a_password_that_is_not_given(refusal, pair):
    """OpenSSL would ask for it at the terminal."""
    encrypt_key(pair.keyfile, "sesame")

    assert "is encrypted, and there is no keyfile_password" in refusal(certfile=pair.certfile, keyfile=pair.keyfile)


def test_key_under_another_password(refusal, pair):
    encrypt_key(pair.keyfile, "sesame")

    said = refusal(certfile=pair.certfile, keyfile=pair.keyfile, keyfile_password="guess")

    assert f"keyfile_password does not open the key in keyfile {pair.keyfile}" == said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_key_that_may_not_be_read(refusal, pair):
    Path(pair.keyfile).chmod(0)

    assert "Permission denied" in refusal(certfile=pair.certfile, keyfile=pair.keyfile)


def test_client_certificates_need_an_authority_where_a_hook_asks_for_the_default(refusal, pair):
    said = refusal(certfile=pair.certfile, keyfile=pair.keyfile, cert_reqs="required")

    assert "cert_reqs is required, and needs ca_certs: the authorities that clients are signed by" == said


def test_ciphers_that_nobody_knows(refusal, pair):
    said = refusal(certfile=pair.certfile, keyfile=pair.keyfile, ciphers="ROT13")

    assert said.startswith("ciphers 'ROT13' names none that OpenSSL has")


# Self-signed.


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "greenserve"


def test_self_signed_certificate_is_for_this_machine_and_can_be_trusted(cache):
    context = make_context(Config(self_signed=True))

    assert "localhost" in connect(context, trusted=str(cache / "self-signed.pem"))


def test_self_signed_certificate_is_kept_for_its_owner_alone(cache):
    first = Path(find_certificate()).read_bytes()

    assert first == Path(find_certificate()).read_bytes()
    assert ["self-signed.pem"] == os.listdir(cache)
    assert 0o600 == (cache / "self-signed.pem").stat().st_mode & 0o777


def test_self_signed_certificate_is_made_anew_before_it_expires(cache):
    path = Path(find_certificate())
    first = path.read_bytes()
    os.utime(path, (0, 0))

    assert first != Path(find_certificate()).read_bytes()


def test_cache_that_cannot_be_written_is_said(cache):
    cache.parent.mkdir()
    cache.write_text("in the way")

    with pytest.raises(WorkerBootError, match=r"self-signed\.pem cannot be kept"):
        find_certificate()


def test_trustme_that_is_missing_is_said(cache, monkeypatch, refusal):
    monkeypatch.setitem(sys.modules, "trustme", None)

    assert "self_signed needs trustme: pip install 'greenserve[self-signed]'" == refusal(self_signed=True)
