"""A share of WsgiDAV's, written and read by a WebDAV client."""

import os
import re
import shutil

import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.judges.conftest import require, run

require("wsgidav", "webdav3")

from webdav3.client import Client  # noqa: E402

SIZE = 5_000_000


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    return tmp_path_factory.mktemp("share")


@pytest.fixture(scope="module")
def wsgidav(serve, share):
    # One worker, since WsgiDAV remembers locks in memory.
    return serve("dav_server", env={"SHARE": str(share)}, workers=1).url


@pytest.fixture
def client(wsgidav):
    client = Client({"webdav_hostname": wsgidav, "webdav_login": "ann", "webdav_password": "secret"})
    yield client
    client.session.close()


@pytest.fixture
def content(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(os.urandom(SIZE))
    return path


def test_file_goes_up_and_comes_down_to_the_byte(client, content, tmp_path):
    client.upload_sync(remote_path="up-and-down", local_path=str(content))
    client.download_sync(remote_path="up-and-down", local_path=str(tmp_path / "copy"))

    assert content.read_bytes() == (tmp_path / "copy").read_bytes()


def test_directory_is_made_listed_moved_and_removed(client, content):
    client.mkdir("old")
    client.upload_sync(remote_path="old/file", local_path=str(content))

    client.move(remote_path_from="old", remote_path_to="new")

    assert "new/" in client.list()
    assert ["file"] == client.list("new")[-1:]
    client.clean("new")
    assert not client.check("new")


def test_properties_are_those_of_the_file(client, content):
    client.upload_sync(remote_path="measured", local_path=str(content))

    assert str(SIZE) == client.info("measured")["size"]


def test_curl_sends_chunks_with_digest_authentication(wsgidav, share, content):
    options = ("--silent", "--show-error", "--fail", "--digest", "--user", "ann:secret", "--upload-file", "-")

    run("curl", *options, f"{wsgidav}/chunked", stdin=content.read_bytes())

    assert content.read_bytes() == (share / "chunked").read_bytes()


def test_range_of_a_file_is_read(wsgidav, share):
    (share / "digits").write_bytes(b"0123456789")

    answer = requests.get(f"{wsgidav}/digits", headers={"Range": "bytes=2-4"}, auth=HTTPDigestAuth("ann", "secret"), timeout=30)

    assert (206, b"234") == (answer.status_code, answer.content)


def test_locked_file_is_written_by_none_but_the_owner(wsgidav, share):
    lock = b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'
    with requests.Session() as session:
        session.auth = HTTPDigestAuth("ann", "secret")
        token = session.request("LOCK", f"{wsgidav}/locked", data=lock).headers["Lock-Token"]

        refused = session.put(f"{wsgidav}/locked", data=b"theirs")
        written = session.put(f"{wsgidav}/locked", data=b"ours", headers={"If": f"({token})"})

    assert (423, 2) == (refused.status_code, written.status_code // 100)
    assert b"ours" == (share / "locked").read_bytes()


def test_litmus_finds_no_fault(serve, tmp_path):
    """The test suite of neon's author, for everything RFC 4918 asks of a server."""
    if shutil.which("litmus") is None:
        pytest.skip("litmus is not installed (apt install litmus)")
    (tmp_path / "share").mkdir()
    # It tries a target with a fragment, and is content with 400.
    url = serve("dav_server", env={"SHARE": str(tmp_path / "share")}, workers=1, expected="/litmus/frag/#ment").url

    said = run("litmus", "--keep-going", f"{url}/", "ann", "secret", cwd=tmp_path)

    assert set() == set(re.findall(r"^ *\d+\. (\w+)\.+ FAIL.*$", said, re.MULTILINE))
