"""An unmodified Flask application, the clients people use, and every kind of listener."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from greenserve import __version__
from greenserve.speedups import describe_form
from tests.support.client import RawClient
from tests.support.load import run_wrk
from tests.support.server import RunningServer, bind_socket, run_greenserve


@pytest.fixture(scope="module")
def board():
    with RunningServer("--workers", "4", "board:app") as server:
        yield server


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "20", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_curl_gets_a_page_from_flask(board):
    assert "<h1>hello from Flask</h1>" == curl(f"{board.url}/")


def test_requests_keeps_its_session_through_json_and_uploads(board):
    with requests.Session() as session:
        mirrored = session.post(f"{board.url}/json", json={"word": "größer"}, timeout=20)
        uploaded = session.post(f"{board.url}/upload", files={"picture": b"x" * 3_000_000}, timeout=20)

    assert {"word": "größer"} == mirrored.json()
    assert {"picture": 3_000_000} == uploaded.json()


def test_flask_says_404_and_405_for_itself(board):
    statuses = [requests.get(f"{board.url}{path}", timeout=20).status_code for path in ("/nowhere", "/json")]

    assert [404, 405] == statuses


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed (apt install wrk)")
def test_thousand_connections_lose_no_request(board):
    report = run_wrk(f"{board.url}/", connections=1000, seconds=5)

    assert 0 == report.errors
    assert report.requests > 1000


def test_start_says_what_it_is_where_it_listens_and_who_works(board):
    runs_on = rf"\(gevent [\w.]+, [\w-]+, {describe_form()}, CPython [\w.+]+\)"

    for line in (f"greenserve {__version__} {runs_on}", f"listening on {board.url}", "4 workers", f"pid {board.pid}"):
        board.wait_for_log(rf"\[INFO\] {line}$")


def test_every_worker_says_once_that_it_is_ready(board):
    board.wait_for_log(r"worker \d+ \(pid \d+\) is ready", times=4)

    ready = re.findall(r"worker \d+ \(pid (\d+)\) is ready after [\d.]+ s", board.log)
    assert board.workers() == sorted(map(int, ready))


def test_command_and_module_are_the_same():
    command = Path(sys.executable).with_name("greenserve")

    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout

    assert run_greenserve("--version").stdout == said
    assert __version__ in said


def test_ipv6_is_served(start_server):
    server = start_server("hello", sockets=[bind_socket("::1")])

    assert "hello\n" == curl(f"{server.url}/")


def test_unix_socket_is_served_and_removed(start_server, tmp_path):
    path = tmp_path / "greenserve.sock"

    server = start_server("hello", "--bind", f"unix:{path}", sockets=())

    assert "hello\n" == curl("--unix-socket", str(path), "http://localhost/")
    assert 0 == server.stop()
    assert not path.exists()


def test_every_handed_socket_is_served(start_server):
    server = start_server("hello", sockets=[bind_socket(), bind_socket("::1")])

    for address in server.addresses:
        with RawClient(address) as client:
            assert b"hello\n" == client.ask().content


def test_every_bind_is_served(start_server):
    server = start_server("hello", "--bind", "127.0.0.1:0", "--bind", "[::1]:0", sockets=())

    server.wait_for_log(r"listening on http", times=2)
    urls = re.findall(r"listening on (http\S+)", server.log)

    assert 2 == len(urls)
    assert ["hello\n", "hello\n"] == [curl(url) for url in urls]


def test_descriptor_is_served_by_its_number(start_server):
    server = start_server("hello", "--bind", "fd://3")

    assert "hello\n" == curl(f"{server.url}/")


def test_port_is_taken_from_the_platform(start_server):
    server = start_server("hello", env={"PORT": "0", "WEB_CONCURRENCY": "2"}, sockets=())

    port = server.wait_for_log(r"listening on http://0\.0\.0\.0:(\d+)")[1]

    assert "hello\n" == curl(f"http://127.0.0.1:{port}/")
    assert 2 == len(server.workers())


def test_master_never_loads_gevent(board):
    """The master forks for its whole life; a hub in it would be shared by every child."""
    mapped = Path(f"/proc/{board.pid}/maps").read_text()

    assert "gevent" not in mapped
    assert all("gevent" in Path(f"/proc/{worker}/maps").read_text() for worker in board.workers())


def test_master_runs_one_thread(board):
    assert 1 == len(list(Path(f"/proc/{board.pid}/task").iterdir()))
