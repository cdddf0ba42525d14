"""Workers that have lived long enough are replaced, and no client can tell."""

import re
from collections import Counter
from itertools import accumulate

from tests.support.load import load

LEFT = r"worker \d+ \(pid (\d+)\) has left"

GROWING = """
hoard = []


def application(environ, start_response):
    hoard.append(bytearray(8 << 20))
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def test_lives_are_counted_to_the_number_of_requests(start_server, control, tmp_path):
    """At a pace that leaves the machine time to boot another worker within one life."""
    lines = tmp_path / "access.log"
    limits = ("--workers", "2", "--max-requests", "300", "--max-requests-jitter", "60")
    server = start_server("hello", *limits, "--access-logfile", str(lines), "--access-logformat", "%(p)s")

    with load(server, connections=1, bursts=1) as clients:
        server.wait_for_log(LEFT, times=6)
        recycled = re.findall(LEFT, server.log)
        clients.wait_for_answers(50)
    server.stop()

    assert [] == clients.failures
    assert clients.find_longest_gap(control) <= 0.1
    lives = Counter(re.findall(r"\d+", lines.read_text()))
    assert {} == {pid: lives[pid] for pid in recycled if not 300 <= lives[pid] <= 360}


def test_nobody_leaves_unrelieved_where_a_life_is_shorter_than_a_boot(start_server):
    server = start_server("lazy", "--workers", "2", "--max-requests", "20", env={"IMPORT_SECONDS": "1"})

    with load(server, connections=2, bursts=1) as clients:
        server.wait_for_log("21 requests served, more than max_requests allows: no replacement is ready yet", times=2)
        for left in range(1, 5):
            server.wait_for_log(LEFT, times=left)
        clients.wait_for_answers(50)

    assert [] == clients.failures
    assert fewest_ready(server.log) >= 2


def fewest_ready(log):
    """Return how many workers served at the worst moment after the first had left, as the log tells it."""
    moments = re.findall(r"worker \d+ \(pid \d+\) (is ready|has left)", log.partition("stopping")[0])
    counts = list(accumulate(1 if word == "is ready" else -1 for word in moments))
    return min(counts[moments.index("has left") :])


def test_an_old_worker_is_replaced(start_server):
    server = start_server("hello", "--max-worker-age", "1")

    with load(server, connections=2, bursts=1) as clients:
        server.wait_for_log("retires: it is 1 s old")
        server.wait_for_log(LEFT)

    assert [] == clients.failures


def test_a_worker_that_has_grown_is_replaced(start_server, tmp_path):
    (tmp_path / "growing.py").write_text(GROWING)
    server = start_server("growing", "--max-worker-rss", "100M", cwd=tmp_path)

    with load(server, connections=1, bursts=0) as clients:
        server.wait_for_log(r"retires: it takes \d+ MiB of memory")
        server.wait_for_log(LEFT)

    assert [] == clients.failures
