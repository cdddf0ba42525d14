"""Workers come and go for other reasons than a reload. The same rule holds: the new one is ready before the old one leaves."""

import signal

from tests.support.client import RawClient
from tests.support.load import load

READY = r"worker \d+ \(pid \d+\) is ready"
LEFT = r"worker \d+ \(pid \d+\) has left"

EDITED = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{word}"]
"""


def test_worker_that_served_its_time_is_replaced_without_a_lost_request(start_server):
    server = start_server("hello", "--workers", "2", "--max-requests", "100", "--max-requests-jitter", "20")

    with load(server, connections=8, bursts=1) as clients:
        server.wait_for_log(LEFT, times=4)
        clients.wait_for_answers(50)

    assert [] == clients.failures


def test_resizing_under_load_loses_no_request(start_server):
    server = start_server("hello", "--workers", "2")

    with load(server, connections=8, bursts=1) as clients:
        server.signal(signal.SIGTTIN)
        server.wait_for_log(READY, times=3)
        server.signal(signal.SIGTTOU)
        server.wait_for_log(LEFT, times=1)
        server.signal(signal.SIGTTOU)
        server.wait_for_log(LEFT, times=2)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert 1 == len(server.workers())


def test_last_worker_is_never_given_up(start_server):
    server = start_server("hello")

    server.signal(signal.SIGTTOU)
    server.wait_for_log("1 worker from now on")

    assert 1 == len(server.workers())


def test_saved_source_is_served(start_server, tmp_path):
    source = tmp_path / "edited.py"
    source.write_text(EDITED.format(word="before"))
    server = start_server("edited", "--reload", cwd=tmp_path)

    save_until_noticed(server, source, EDITED.format(word="after"))
    server.wait_for_generation(2)

    with RawClient(server.address) as client:
        assert b"after" == client.ask().content


def test_broken_source_is_shown_until_it_is_repaired(start_server, tmp_path):
    """From the very start: who develops saves a file that is half done, and goes on."""
    source = tmp_path / "edited.py"
    source.write_text("def application(environ, start_response)\n    <b>\n")
    server = start_server("edited", "--reload", cwd=tmp_path)
    server.wait_for_log("'edited' cannot be loaded")
    with RawClient(server.address) as client:
        broken = client.ask()

    save_until_noticed(server, source, EDITED.format(word="after"))
    server.wait_for_generation(2)

    assert 500 == broken.status
    assert b"SyntaxError" in broken.content
    with RawClient(server.address) as client:
        assert b"after" == client.ask().content


def save_until_noticed(server, path, text):
    """Save again as a person does who saw nothing happen: the process that watches does not say when it begins to."""
    for _ in range(int(server.timeout)):
        path.write_text(text)
        if server.has_notified("RELOADING", within=1.0):
            return
