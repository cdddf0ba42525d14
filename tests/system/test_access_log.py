"""One line for each exchange, and nothing a client sends can make it two."""

import re
import signal

import pytest

from tests.support.client import RawClient, make_request


def test_default_line_is_the_combined_format(start_server):
    server = start_server("hello", "--access-logfile", "-")

    with RawClient(server.address) as client:
        client.ask("/path?q=1", "User-Agent: tester", "Referer: http://from/")

    date = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    server.wait_for_log(rf'^127\.0\.0\.1 - - {date} "GET /path\?q=1 HTTP/1\.1" 200 6 "http://from/" "tester"$')


def test_every_atom_tells_the_truth(start_server):
    atoms = ["h", "m", "U", "q", "H", "s", "B", "b", "{x-id}i", "{content-type}o", "{wsgi.url_scheme}e", "nonsense"]
    line = " ".join(f"%({atom})s" for atom in atoms)
    server = start_server("hello", "--access-logfile", "-", "--access-logformat", line)

    with RawClient(server.address) as client:
        client.ask("/where?q=1", "X-Id: seven")

    server.wait_for_log(r"^127\.0\.0\.1 GET /where q=1 HTTP/1\.1 200 6 6 seven text/plain http -$")


def test_line_names_the_worker(start_server):
    server = start_server("hello", "--access-logfile", "-", "--access-logformat", "by %(p)s")
    (worker,) = server.workers()

    with RawClient(server.address) as client:
        client.ask()

    server.wait_for_log(f"^by <{worker}>$")


def test_durations_are_of_one_exchange(start_server, gate):
    server = start_server(
        "gated", "--access-logfile", "-", "--access-logformat", "T=%(T)s M=%(M)s D=%(D)s L=%(L)s", env=gate.environ
    )

    with RawClient(server.address) as client:
        client.ask("/quick")

    match = server.wait_for_log(r"^T=(\d+) M=(\d+) D=(\d+) L=(\d+\.\d{6})$")
    assert int(match[1]) <= int(match[2]) // 1000 + 1
    assert int(match[3]) == pytest.approx(float(match[4]) * 1e6, abs=2)


@pytest.mark.security("log injection: escape CTL/ANSI in every atom")
@pytest.mark.parametrize(
    "path",
    ["/%0a%1b[31mforged", "/%0d%0aforged", '/"forged', "/\\forged", "/?\x7fforged", "/\x85forged"],
)
def test_no_client_writes_a_line_or_a_terminal_code(start_server, path):
    server = start_server("hello", "--access-logfile", "-", "--access-logformat", 'line "%(r)s" %(U)s %(q)s "%(a)s" end')

    with RawClient(server.address) as client:
        client.send(make_request(path, 'User-Agent: "\\\t\x9b31m', "Connection: close"))
        client.receive_until_close()
    with RawClient(server.address) as client:
        client.ask("/last")

    server.wait_for_log(r'^line "GET /last HTTP/1\.1" .* end$')
    lines = [line for line in server.log.split("\n") if "forged" in line and "[" not in line[:1]]
    assert all(re.fullmatch(r'line "[^"]*" [^"]* "[^"]*" end', line) for line in lines), lines
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", server.log)


def test_broken_application_has_its_line(start_server):
    server = start_server("broken", "--access-logfile", "-", "--access-logformat", "status=%(s)s")

    with RawClient(server.address) as client:
        client.ask("/raises")

    server.wait_for_log("^status=500$")


def test_refused_request_has_its_line_in_the_error_log(start_server):
    server = start_server("hello")

    with RawClient(server.address) as client:
        client.send(b"nonsense\r\n\r\n")
        client.receive_until_close()

    server.wait_for_log(r"\[INFO\] .*127\.0\.0\.1 was refused with 400: ")


def test_log_goes_on_in_a_new_file_after_usr1(start_server, tmp_path):
    access = tmp_path / "access.log"
    server = start_server("hello", "--access-logfile", str(access), "--access-logformat", "%(U)s")
    with RawClient(server.address) as client:
        client.ask("/before")
    access.rename(tmp_path / "access.log.1")

    server.signal(signal.SIGUSR1)
    server.wait_for_log("the logs are open anew")
    with RawClient(server.address) as client:
        client.ask("/after")
    server.stop()

    assert "/before" in (tmp_path / "access.log.1").read_text()
    everything = (tmp_path / "access.log.1").read_text() + access.read_text()
    assert ["/before", "/after"] == everything.split()
