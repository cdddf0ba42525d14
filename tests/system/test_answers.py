"""Whole answers to real clients: files to the byte, refusals in the middle of an upload, chunks from curl."""

import hashlib
import os
import subprocess

import pytest
import requests

from tests.support.client import RawClient, make_request
from tests.support.server import RunningServer

SIZE = 20_000_003


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "content"
    path.write_bytes(os.urandom(SIZE))
    return path


def curl(*arguments, stdin=b""):
    command = ["curl", "--silent", "--show-error", "--max-time", "60", *arguments]
    return subprocess.run(command, capture_output=True, input=stdin, check=True).stdout


def digest(data):
    return hashlib.sha256(data).hexdigest()


# Files.


@pytest.fixture(scope="module", params=[(), ("--no-sendfile",)], ids=["sendfile", "no-sendfile"])
def files(request, content):
    with RunningServer("files", *request.param, env={"FILE": str(content)}) as server:
        yield server


@pytest.mark.parametrize(("path", "start"), [("/", 0), ("/half", SIZE // 2), ("/copied", 0)])
def test_curl_gets_a_file_to_the_byte(files, content, path, start):
    assert digest(content.read_bytes()[start:]) == digest(curl(f"{files.url}{path}"))


def test_slow_reader_gets_a_file_to_the_byte(files, content):
    received = curl("--limit-rate", "10M", f"{files.url}/half")

    assert digest(content.read_bytes()[SIZE // 2 :]) == digest(received)


def test_client_that_reads_nothing_holds_up_nobody(files):
    with RawClient(files.address) as idle, RawClient(files.address) as client:
        idle.send(make_request("/") * 3)

        assert SIZE == len(client.ask("/").content)


def test_file_goes_through_a_unix_socket(content, tmp_path):
    path = tmp_path / "socket"

    with RunningServer("files", "--bind", f"unix:{path}", env={"FILE": str(content)}, sockets=()):
        received = curl("--unix-socket", str(path), "http://localhost/")

    assert digest(content.read_bytes()) == digest(received)


# Refusals.


@pytest.mark.security("body unread by app: bounded drain or close")
@pytest.mark.parametrize(("limit", "status"), [("0", 401), ("1000", 413)], ids=["by the application", "by the server"])
class TestRefusalInTheMiddleOfAnUpload:
    @pytest.fixture
    def server(self, start_server, limit):
        return start_server("refuses", "--limit-request-content", limit)

    def test_reaches_curl(self, server, status, content):
        said = curl("--limit-rate", "20M", "--data-binary", f"@{content}", "-H", "Expect:", "-w", "%{http_code}", server.url)

        assert said.endswith(str(status).encode())

    def test_reaches_curl_that_sends_chunks(self, server, status, content):
        arguments = ("-T", "-", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-w", "%{http_code}")

        assert curl(*arguments, server.url, stdin=content.read_bytes()).endswith(str(status).encode())

    def test_reaches_requests_which_sends_everything_first(self, server, status, content):
        with content.open("rb") as file:
            response = requests.post(server.url, data=file, timeout=60)

        assert (status, "close") == (response.status_code, response.headers["Connection"])


# Content.


@pytest.mark.parametrize("memory", ["0", "512k", "1g"])
def test_chunks_from_curl_come_back_to_the_byte(start_server, content, tmp_path, memory):
    server = start_server("echo", "--spool-memory", memory, "--tmp-upload-dir", str(tmp_path))

    received = curl("-T", str(content), "-H", "Transfer-Encoding: chunked", f"{server.url}/")

    assert digest(content.read_bytes()) == digest(received)
    assert [] == list(tmp_path.iterdir())


# PEP 3333.


@pytest.fixture(scope="module")
def validated():
    with RunningServer("validated") as server:
        yield server
        assert "Traceback" not in server.log
        assert "without being closed" not in server.log


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/hello", "/context?x", "/environment", "/refuses"),
        *("/echo/", "/echo/pieces", "/echo/lines", "/echo/ignore"),
        *("/streams/generator", "/streams/list_of_two", "/streams/written", "/streams/file"),
        *("/streams/nothing", "/streams/unchanged"),
        *("/board/", "/board/nowhere"),
    ],
)
def test_examiner_finds_no_fault_with_either_side(validated, path, method):
    with RawClient(validated.address) as client:
        first = client.ask(path, "Content-Type: text/plain", method=method, content=b"one\ntwo" if method == "POST" else b"")
        second = client.ask()

    assert first.status in (200, 204, 304, 401, 404, 405)
    assert b"ok" == second.content


@pytest.mark.parametrize("path", ["/echo/", "/echo/pieces", "/echo/lines"])
def test_examiner_finds_no_fault_with_chunked_content(validated, path):
    with RawClient(validated.address) as client:
        client.send(make_request(path, "Transfer-Encoding: chunked", method="POST") + b"4\r\none\n\r\n3\r\ntwo\r\n0\r\n\r\n")

        assert b"one\ntwo" == client.receive_response().content
