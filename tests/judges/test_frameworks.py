"""The same small program, written for six frameworks, reads and writes every kind of content.

Each is served as it stands, and under the standard library's examiner of PEP 3333.
"""

import os
from hashlib import sha256

import pytest
import requests

from tests.judges.conftest import require

require("bottle", "cherrypy", "django", "falcon", "flask", "pyramid")

FRAMEWORKS = ["bottle", "cherrypy", "django", "falcon", "flask", "pyramid"]

#: Django's own view of files sends them whole.
WITH_RANGES = [name for name in FRAMEWORKS if name != "django"]

SIZE = 2_000_003

CONTENTS = {"nothing": b"", "little": b"a", "much": os.urandom(SIZE)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("files")
    (directory / "content").write_bytes(CONTENTS["much"])
    return directory


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "examined"])
def examined(request):
    return request.param


@pytest.fixture(scope="module")
def program(serve, files, examined, request):
    name = f"{request.param}_program"
    env = {"FILES": str(files), "PROGRAM": name}
    return serve("examined:app" if examined else f"{name}:app", env=env, expected="GET /broken failed").url


@pytest.fixture
def client():
    with requests.Session() as client:
        yield client


def in_pieces(content):
    """Yield *content* as a client does that does not know its length."""
    for start in range(0, len(content), 50_000):
        yield content[start : start + 50_000]


def make_form(content):
    """Return the fields and the content of a form with a file."""
    form = requests.Request("POST", "http://x/", files={"file": ("name", content)}, data={"title": "holiday"}).prepare()
    return {"Content-Type": form.headers["Content-Type"]}, form.body


@pytest.mark.parametrize("program", FRAMEWORKS, indirect=True)
class TestProgram:
    @pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
    def test_reads_content_of_known_length(self, program, client, content):
        assert content == client.post(f"{program}/echo", data=content).content

    @pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
    def test_reads_chunked_content(self, program, client, content):
        assert content == client.post(f"{program}/echo", data=in_pieces(content)).content

    @pytest.mark.parametrize("send", [bytes, in_pieces], ids=["known length", "chunked"])
    def test_reads_a_form_with_a_file(self, program, client, send):
        content = CONTENTS["much"]
        fields, form = make_form(content)

        answer = client.post(f"{program}/upload", data=send(form), headers=fields)

        assert f"holiday {sha256(content).hexdigest()}" == answer.text

    def test_streams_without_a_length(self, program, client):
        answer = client.get(f"{program}/stream")

        assert ("chunked", "block 0\nblock 1\nblock 2\n") == (answer.headers["Transfer-Encoding"], answer.text)

    def test_gets_its_cookie_back(self, program, client):
        assert ["never", "before"] == [client.get(f"{program}/cookie").text for _ in range(2)]

    def test_sends_elsewhere(self, program, client):
        assert "a few words" == client.get(f"{program}/away").text

    def test_answers_head_without_content(self, program, client):
        answer = client.head(f"{program}/text")

        assert (200, b"") == (answer.status_code, answer.content)
        assert "a few words" == client.get(f"{program}/text").text

    def test_sends_a_file(self, program, client):
        assert CONTENTS["much"] == client.get(f"{program}/files/content").content

    def test_sends_no_file_that_has_not_changed(self, program, client):
        changed = client.get(f"{program}/files/content").headers["Last-Modified"]

        answer = client.get(f"{program}/files/content", headers={"If-Modified-Since": changed})

        assert (304, b"") == (answer.status_code, answer.content)

    def test_says_what_it_does_not_have(self, program, client):
        assert 404 == client.get(f"{program}/nowhere").status_code

    def test_goes_on_after_an_error(self, program, client):
        assert 500 == client.get(f"{program}/broken").status_code
        assert "a few words" == client.get(f"{program}/text").text


@pytest.mark.parametrize("program", WITH_RANGES, indirect=True)
@pytest.mark.parametrize("asked", ["0-99", "1000000-1999999", "-500"])
def test_part_of_a_file_is_sent(program, client, asked):
    answer = client.get(f"{program}/files/content", headers={"Range": f"bytes={asked}"})

    first, last = asked.split("-")
    expected = CONTENTS["much"][int(first) : int(last) + 1] if first else CONTENTS["much"][-int(last) :]
    assert (206, expected) == (answer.status_code, answer.content)
