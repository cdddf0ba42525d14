"""What environ tells of a client's certificate."""

from greenserve.wsgi.certificate import certificate_environ, session_environ, write_name

ANN = {
    "subject": (
        (("countryName", "DE"),),
        (("organizationName", "Examples, Inc."),),
        (("commonName", "Ann"), ("userId", "7")),
    ),
    "issuer": ((("commonName", "Größe"),),),
    "serialNumber": "0A1B",
    "notBefore": "Jan  1 00:00:00 2026 GMT",
    "notAfter": "Jan  1 00:00:00 2027 GMT",
}


def test_name_is_written_with_the_last_part_first():
    assert r"CN=Ann+UID=7,O=Examples\, Inc.,C=DE" == write_name(ANN["subject"])


def test_value_cannot_pass_for_a_part_of_its_own():
    """Who is allowed to choose a common name must not choose an organization with it (RFC 4514 section 2.4)."""
    assert r"CN=Ann\,O=Admins" == write_name(((("commonName", "Ann,O=Admins"),),))
    assert r"CN=\#a\+b\0A\ " == write_name(((("commonName", "#a+b\n "),),))


def test_verified_client_is_described():
    found = session_environ("cipher", "TLSv1.3", True) | certificate_environ(ANN, "PEM")

    assert ("SUCCESS", "PEM", "Ann") == tuple(found[f"SSL_CLIENT_{key}"] for key in ("VERIFY", "CERT", "S_DN_CN"))
    assert "CN=Größe" == found["SSL_CLIENT_I_DN"].encode("latin-1").decode()
    assert "0A1B" == found["SSL_CLIENT_M_SERIAL"] == found["SSL_CLIENT_SERIAL"]
    assert "Resumed" == found["SSL_SESSION_RESUMED"]


def test_client_without_a_certificate_is_nobody():
    found = session_environ("cipher", "TLSv1.2", False)

    assert "NONE" == found["SSL_CLIENT_VERIFY"]
    assert "SSL_CLIENT_S_DN" not in found
