"""A session that began with one worker goes on with another."""

import ssl

import pytest

from greenserve.config import Config
from greenserve.worker.certificates import make_context
from greenserve.worker.tickets import share_tickets

SECRET = b"s" * 32


@pytest.fixture
def make_worker(authority):
    """Return a function that makes a worker's context, with the ticket key of a generation."""
    pair = authority.issue("localhost")

    def make_worker(generation):
        context = make_context(Config(certfile=pair.certfile, keyfile=pair.keyfile))
        assert share_tickets(context, SECRET, generation)
        return context

    return make_worker


def resume(client, server, session):
    """Shake hands in memory, with an earlier *session* or none; return the client's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for step in (ours.do_handshake, theirs.do_handshake) * 3:
        try:
            step()
        except ssl.SSLWantReadError:
            continue
    theirs.write(b"x")
    # The ticket of TLS 1.3 comes behind the handshake.
    assert b"x" == ours.read(1)
    return ours


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("other", "resumed"), [(1, True), (2, False)], ids=["same generation", "after a reload"])
def test_session_is_resumed_by_another_worker(make_worker, authority, version, other, resumed):
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(authority.path)
    client.maximum_version = version

    first = resume(client, make_worker(1), None)
    second = resume(client, make_worker(other), first.session)

    assert resumed == second.session_reused
