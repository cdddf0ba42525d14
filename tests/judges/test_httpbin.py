"""httpbin, made to show clients what they send, asked by five of them."""

import hashlib
import json

import pytest

from tests.judges.conftest import require

require("httpbin", "httpx", "aiohttp")

from tests.judges.clients import CLIENTS  # noqa: E402

SIZE = 300_000


@pytest.fixture(scope="module")
def httpbin(serve):
    return serve("httpbin:app").url


@pytest.fixture(params=sorted(CLIENTS))
def fetch(request):
    return CLIENTS[request.param]


def test_query_and_fields_arrive(fetch, httpbin):
    said = json.loads(fetch(f"{httpbin}/get?a=1&a=2&b=%26", fields={"X-Asked": "yes"}).content)

    assert {"a": ["1", "2"], "b": "&"} == said["args"]
    assert "yes" == said["headers"]["X-Asked"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_content_arrives(fetch, httpbin, method):
    text = "x" * SIZE

    answer = fetch(f"{httpbin}/{method.lower()}", method, {"Content-Type": "text/plain"}, text.encode())

    assert text == json.loads(answer.content)["data"]


def test_content_in_chunks_arrives(fetch, httpbin):
    pieces = [str(number).encode() * 1000 for number in range(100)]

    answer = fetch(f"{httpbin}/post", "POST", {"Content-Type": "text/plain"}, iter(pieces))

    said = json.loads(answer.content)
    assert b"".join(pieces).decode() == said["data"]
    assert "Transfer-Encoding" not in said["headers"]


def test_head_has_the_length_and_no_content(fetch, httpbin):
    answer = fetch(f"{httpbin}/encoding/utf8", "HEAD")

    assert (200, b"") == (answer.status, answer.content)
    assert len(fetch(f"{httpbin}/encoding/utf8").content) == int(answer.fields["content-length"])


@pytest.mark.parametrize("status", [200, 204, 205, 302, 304, 401, 404, 418, 500, 503, 999])
def test_status_is_the_one_asked_for(fetch, httpbin, status):
    assert status == fetch(f"{httpbin}/status/{status}").status


def test_stream_without_a_length_comes_whole(fetch, httpbin):
    answer = fetch(f"{httpbin}/stream-bytes/{SIZE // 3}?chunk_size=777&seed=1")

    assert "chunked" == answer.fields["transfer-encoding"]
    assert SIZE // 3 == len(answer.content)


def test_stream_of_lines_comes_whole(fetch, httpbin):
    lines = fetch(f"{httpbin}/stream/20").content.splitlines()

    assert list(range(20)) == [json.loads(line)["id"] for line in lines]


def test_drops_come_as_they_fall(fetch, httpbin):
    assert b"*" * 10 == fetch(f"{httpbin}/drip?numbytes=10&duration=0.2&delay=0").content


def test_range_is_the_part_asked_for(fetch, httpbin):
    whole = fetch(f"{httpbin}/range/1000").content
    part = fetch(f"{httpbin}/range/1000", fields={"Range": "bytes=200-299"})

    assert (206, "bytes 200-299/1000") == (part.status, part.fields["content-range"])
    assert whole[200:300] == part.content


def test_range_that_does_not_exist_is_refused(fetch, httpbin):
    assert 416 == fetch(f"{httpbin}/range/1000", fields={"Range": "bytes=2000-"}).status


def test_what_has_not_changed_is_not_sent_again(fetch, httpbin):
    first = fetch(f"{httpbin}/cache")
    second = fetch(f"{httpbin}/cache", fields={"If-None-Match": first.fields["etag"]})

    assert (200, 304, b"") == (first.status, second.status, second.content)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_compressed_content_can_be_read(fetch, httpbin, coding):
    answer = fetch(f"{httpbin}/{coding}", fields={"Accept-Encoding": coding})

    assert "GET" == json.loads(answer.content)["method"]


def test_redirect_names_the_place(fetch, httpbin):
    answer = fetch(f"{httpbin}/redirect-to?url=%2Fget")

    assert (302, "/get") == (answer.status, answer.fields["location"])


def test_absolute_redirect_names_the_host_that_was_asked(fetch, httpbin):
    assert f"{httpbin}/get" == fetch(f"{httpbin}/absolute-redirect/1").fields["location"]


def test_cookies_come_back(fetch, httpbin):
    given = fetch(f"{httpbin}/cookies/set?flavour=plain").fields["set-cookie"]
    returned = fetch(f"{httpbin}/cookies", fields={"Cookie": given.split(";")[0]})

    assert {"cookies": {"flavour": "plain"}} == json.loads(returned.content)


def test_picture_comes_to_the_byte(fetch, httpbin):
    answer = fetch(f"{httpbin}/image/png")

    assert "image/png" == answer.fields["content-type"]
    assert (
        hashlib.sha256(fetch(f"{httpbin}/image", fields={"Accept": "image/png"}).content).digest()
        == hashlib.sha256(answer.content).digest()
    )
    assert answer.content.startswith(b"\x89PNG")
