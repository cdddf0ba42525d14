"""The message board, used by programs."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.server import RunningServer

TIMEOUT = 30


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def post(client: requests.Session, board: RunningServer, text: str, **more: object) -> requests.Response:
    """Post a message and return the page that the answer leads to."""
    return client.post(f"{board.url}/messages", data={"author": "Ada", "text": text}, timeout=TIMEOUT, **more)


def address_of_attachment(page: str, name: str) -> str:
    before, _, _ = page.partition(f"<span>{name}</span>")
    return before.rpartition('href="')[2].partition('"')[0]


def test_posted_message_is_on_the_page(client: requests.Session, board: RunningServer) -> None:
    page = post(client, board, "The first of many")

    assert 200 == page.status_code
    assert "The first of many" in page.text


def test_markup_in_a_message_is_shown_as_text(client: requests.Session, board: RunningServer) -> None:
    page = post(client, board, "<script>alert(1)</script>")

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_empty_message_is_refused(client: requests.Session, board: RunningServer) -> None:
    assert 400 == post(client, board, "  ").status_code


def test_uploaded_file_comes_back_unchanged(client: requests.Session, board: RunningServer) -> None:
    content = bytes(range(256)) * 4096

    page = post(client, board, "A megabyte", files={"attachment": ("all bytes.bin", content)})
    download = client.get(board.url + address_of_attachment(page.text, "all bytes.bin"), timeout=TIMEOUT)

    assert content == download.content
    assert 'attachment; filename="all bytes.bin"' == download.headers["Content-Disposition"]


def test_uploaded_page_is_saved_and_never_shown(client: requests.Session, board: RunningServer) -> None:
    """Shown, it would be a page of this site, and its scripts could do what the reader can."""
    page = post(client, board, "Look at this", files={"attachment": ("evil.html", b"<script>alert(1)</script>", "text/html")})
    download = client.get(board.url + address_of_attachment(page.text, "evil.html"), timeout=TIMEOUT)

    assert "application/octet-stream" == download.headers["Content-Type"]
    assert "attachment; filename=evil.html" == download.headers["Content-Disposition"]


def test_stream_shows_what_another_connection_posts(client: requests.Session, board: RunningServer) -> None:
    with open_stream(board) as stream:
        lines = stream.iter_lines(decode_unicode=True)
        first = next(lines)
        post(client, board, "Heard by the stream")
        heard = next(line for line in lines if "Heard by the stream" in line)

    assert "retry: 500" == first
    assert heard.startswith("data: ")


def test_stream_goes_on_after_the_last_event_the_browser_saw(client: requests.Session, board: RunningServer) -> None:
    post(client, board, "Seen before the connection broke")
    with open_stream(board) as stream:
        seen = [line for line in read_until(stream, "Seen before") if line.startswith("id: ")][-1]
    post(client, board, "Missed meanwhile")

    with open_stream(board, {"Last-Event-ID": seen.removeprefix("id: ")}) as stream:
        missed = read_until(stream, "Missed meanwhile")

    assert not any("Seen before" in line for line in missed)


def test_slow_pages_are_waited_for_together(board: RunningServer) -> None:
    """Twenty pages that wait a second each, and call this very server to do so, would take twenty in a row."""
    started = time.monotonic()

    with ThreadPoolExecutor(20) as pool:
        pages = list(pool.map(lambda _: requests.get(f"{board.url}/slow?seconds=1", timeout=TIMEOUT), range(20)))

    assert {200} == {page.status_code for page in pages}
    assert 1 <= time.monotonic() - started < 10


def open_stream(board: RunningServer, headers: dict[str, str] | None = None) -> requests.Response:
    return requests.get(f"{board.url}/events", headers=headers, stream=True, timeout=TIMEOUT)


def read_until(stream: requests.Response, text: str) -> list[str]:
    """Return the lines of the stream up to the one with *text* in it."""
    lines = []
    for line in stream.iter_lines(decode_unicode=True):
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"the stream ended without {text!r}: {lines}")
