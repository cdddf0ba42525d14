"""TLS as people use it: their clients, their certificates, and a reload under load."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests
from simple_websocket import AioClient

from tests.support.client import RawClient, make_request
from tests.support.server import RunningServer, run_greenserve

FLAGS = ("--workers", "2", "--cert-reqs", "optional")


@pytest.fixture(scope="module")
def server(authority):
    pair = authority.issue("localhost", "127.0.0.1")
    with RunningServer("environment", *FLAGS, *pair.flags, "--ca-certs", authority.path) as server:
        yield server


@pytest.fixture
def person(authority):
    return authority.issue("ann@example.org", common_name="Ann, of Example")


def url_of(server, host="localhost"):
    return f"https://{host}:{server.address[1]}"


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--max-time", "20", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def find_openssl():
    return shutil.which("openssl") or pytest.skip("openssl is not installed (apt install openssl)")


def s_client(server, *arguments, said=""):
    """Run openssl s_client, and return what it printed."""
    command = [find_openssl(), "s_client", "-connect", f"127.0.0.1:{server.address[1]}", "-servername", "localhost", *arguments]
    done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def connect(server, trusted, asked_for="localhost"):
    """Return a TLS connection of Python's own, which takes an end without close_notify as an error."""
    context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(server.address, timeout=30)
    return context.wrap_socket(plain, server_hostname=asked_for, suppress_ragged_eofs=False)


# Clients.


def test_curl_is_served(server, authority):
    text = curl("--cacert", authority.path, "--head", url_of(server))

    assert text.startswith("HTTP/1.1 200 OK")


def test_requests_is_served_on_one_connection(server, authority):
    with requests.Session() as session:
        # Variables would overrule `verify`.
        session.trust_env, session.verify = False, authority.path
        ports = {session.get(url_of(server), timeout=20).json()["REMOTE_PORT"] for _ in range(3)}

    assert 1 == len(ports)


def test_environ_says_https(server, authority):
    known = requests.get(url_of(server), verify=authority.path, timeout=20).json()

    assert ("https", "on", "TLSv1.3") == (known["wsgi.url_scheme"], known["HTTPS"], known["SSL_PROTOCOL"])
    assert "NONE" == known["SSL_CLIENT_VERIFY"]


def test_browser_is_served(server, tmp_path):
    chromium = shutil.which("chromium") or pytest.skip("Chromium is not installed (apt install chromium)")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]
    flags += ["--ignore-certificate-errors", f"--user-data-dir={tmp_path}/profile", "--dump-dom", url_of(server)]

    page = subprocess.run([chromium, *flags], capture_output=True, text=True, timeout=60, check=True).stdout

    assert '"wsgi.url_scheme": "https"' in page.replace("&quot;", '"')


def test_http_1_1_is_chosen_by_alpn(server, authority):
    with connect(server, authority.path) as client:
        assert "http/1.1" == client.selected_alpn_protocol()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_session_is_resumed_whichever_worker_answers(server, authority, tmp_path, version):
    asked = make_request("/", "Connection: close").decode()
    session = str(tmp_path / "session")
    s_client(server, version, "-ign_eof", "-sess_out", session, said=asked)

    said = [s_client(server, version, "-ign_eof", "-sess_in", session, said=asked) for _ in range(6)]

    assert ["Reused, "] * 6 == [text[text.index("Reused") :][:8] if "Reused" in text else text for text in said]
    assert all('"SSL_SESSION_RESUMED": "Resumed"' in text for text in said)


def test_old_versions_are_refused(server):
    assert "protocol version" in s_client(server, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")


@pytest.mark.parametrize("command", ["K", "k"], ids=["asking for ours", "alone"])
def test_client_may_change_its_keys(server, command):
    """TLS 1.3, RFC 8446 section 4.6.3."""
    said = s_client_speaks(server, "-tls1_3", f"{command}\n", make_request("/", "Connection: close").decode())

    assert "KEYUPDATE" in said
    assert "HTTP/1.1 200 OK" in said


def test_renegotiation_is_refused(server):
    said = s_client_speaks(server, "-tls1_2", "R\n", "")

    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said


def s_client_speaks(server, version, command, request):
    """Give openssl s_client a *command* for itself, and then a *request* to send."""
    arguments = [find_openssl(), "s_client", "-connect", f"127.0.0.1:{server.address[1]}", version]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=0
    ) as process:
        said = ""
        while "Verify return code" not in said:
            said += process.stdout.readline()
        # Commands are what it reads at once.
        process.stdin.write(command)
        while command[0] != "R" and "KEYUPDATE" not in said:
            said += process.stdout.readline()
        process.stdin.write(request)
        said += process.stdout.read()
    return said


def test_answer_is_whole_and_ends_with_close_notify(server, authority):
    with connect(server, authority.path) as client:
        client.sendall(make_request("/", "Connection: close"))
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    head, _, content = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(content)}\r\n".encode() in head + b"\r\n"


def test_large_content_goes_both_ways(start_server, authority):
    pair = authority.issue("localhost")
    server = start_server("echo", *pair.flags)
    content = b"0123456789abcdef" * 1_000_000

    answer = requests.post(url_of(server), data=content, verify=authority.path, timeout=60)

    assert content == answer.content


def test_websocket_speaks_both_ways_at_once(start_server, authority):
    """A tunnel receives in one greenlet and sends in another, and TLS may have something to send for both."""
    pair = authority.issue("localhost")
    server = start_server("socks", *pair.flags)
    url = f"wss://localhost:{server.address[1]}/echo"
    messages = [bytes([number]) * 300_000 for number in range(30)]

    received = asyncio.run(send_and_receive(url, messages, ssl.create_default_context(cafile=authority.path)))

    assert messages == received


async def send_and_receive(url, messages, context):
    """Receive while sending, in one thread: a client with two would have them meet inside OpenSSL."""
    client = await AioClient.connect(url, ssl_context=context)

    async def send():
        for message in messages:
            await client.send(message)

    sending = asyncio.create_task(send())
    received = [await client.receive(timeout=30) for _ in messages]
    await sending
    await client.close()
    return received


# Who is asking.


def test_certificate_of_a_client_is_told_to_the_application(server, authority, person):
    known = requests.get(url_of(server), verify=authority.path, cert=tuple(person), timeout=20).json()

    assert "SUCCESS" == known["SSL_CLIENT_VERIFY"]
    assert "Ann, of Example" == known["SSL_CLIENT_S_DN_CN"]
    assert r"CN=Ann\, of Example" in known["SSL_CLIENT_S_DN"]
    assert known["SSL_CLIENT_CERT"] == Path(person.certfile).read_text()


@pytest.mark.security("TLS client-cert vars cannot be spoofed by headers")
def test_field_is_no_certificate(server, authority):
    forged = {"SSL-Client-Verify": "SUCCESS", "Ssl-Client-S-Dn": "CN=root", "SSL_CLIENT_CERT": "x", "HTTPS": "off"}

    known = requests.get(url_of(server), headers=forged, verify=authority.path, timeout=20).json()

    assert "NONE" == known["SSL_CLIENT_VERIFY"]
    assert "on" == known["HTTPS"]
    assert not {"SSL_CLIENT_S_DN", "SSL_CLIENT_CERT"} & set(known)
    assert "CN=root" == known["HTTP_SSL_CLIENT_S_DN"]


def test_required_certificate_is_asked_for(start_server, authority, person):
    pair = authority.issue("localhost")
    server = start_server("hello", *pair.flags, "--cert-reqs", "2", "--ca-certs", authority.path)

    answer = requests.get(url_of(server), verify=authority.path, cert=tuple(person), timeout=20)
    with pytest.raises(requests.ConnectionError):
        requests.get(url_of(server), verify=authority.path, timeout=20)

    assert 200 == answer.status_code
    server.wait_for_log(r"\[INFO\] no TLS with 127\.0\.0\.1: peer did not return a certificate$")


# Listeners and names.


def test_log_says_https(server):
    server.wait_for_log(rf"listening on https://127\.0\.0\.1:{server.address[1]}$")


def test_unix_socket_stays_plain(start_server, authority, tmp_path):
    pair = authority.issue("localhost")
    path = str(tmp_path / "sock")
    start_server("hello", *pair.flags, "--bind", f"unix:{path}", sockets=())

    with RawClient(path) as client:
        assert b"hello\n" == client.ask().content


def test_each_name_has_its_certificate(start_server, authority):
    pair, shop = authority.issue("localhost"), authority.issue("shop.example")
    server = start_server("hello", *pair.flags, "--sni", f"shop.example={shop.certfile},{shop.keyfile}")

    for name in ("localhost", "shop.example"):
        with connect(server, authority.path, name) as client:
            assert (("DNS", name),) == client.getpeercert()["subjectAltName"]


def make_hello(name):
    """Return the beginning of a handshake that asks for *name*, which Python's own client would not do."""
    received, hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, hello, server_hostname="x" * len(name))
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return hello.read().replace(b"x" * len(name), name)


def test_name_that_is_no_text_costs_its_client_the_handshake_and_us_one_line(start_server, authority):
    pair, shop = authority.issue("localhost"), authority.issue("shop.example")
    server = start_server("hello", *pair.flags, "--sni", f"shop.example={shop.certfile},{shop.keyfile}")

    with socket.create_connection(server.address, timeout=20) as client:
        client.sendall(make_hello(b"\xff\xfe[fake]\n"))
        while client.recv(1000):
            pass

    server.wait_for_log(r"\[INFO\] no TLS with 127\.0\.0\.1: callback failed$")
    assert "Traceback" not in server.log
    assert "fake" not in server.log


def test_self_signed_certificate_is_enough_for_development(start_server, tmp_path):
    server = start_server("hello", "--workers", "2", "--self-signed", env={"XDG_CACHE_HOME": str(tmp_path)})

    answers = [curl("--cacert", f"{tmp_path}/greenserve/self-signed.pem", url_of(server)) for _ in range(4)]

    assert ["hello\n"] * 4 == answers


def test_function_in_a_python_file_makes_the_context(start_server, authority, tmp_path):
    pair = authority.issue("localhost")
    (tmp_path / "conf.py").write_text(
        "def ssl_context(config, default_ssl_context_factory):\n"
        "    import ssl\n"
        "    context = default_ssl_context_factory()\n"
        "    context.maximum_version = ssl.TLSVersion.TLSv1_2\n"
        "    return context\n"
    )
    server = start_server("hello", "-c", str(tmp_path / "conf.py"), *pair.flags)

    with connect(server, authority.path) as client:
        assert "TLSv1.2" == client.version()


# Start, reload, and what is wrong.


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_key_can_be_for_root_alone(start_server, authority):
    pair = authority.issue("localhost")
    Path(pair.keyfile).chmod(0o600)
    server = start_server("environment", *pair.flags, "--user", "nobody", "--group", "nogroup")

    assert 200 == requests.get(url_of(server), verify=authority.path, timeout=20).status_code
    assert "nobody" == psutil.Process(server.workers()[0]).username()


@pytest.mark.parametrize("action", [(), ("--check-config",)], ids=["start", "check"])
def test_key_that_does_not_fit_is_said_in_one_sentence(authority, action):
    pair, other = authority.issue("localhost"), authority.issue("localhost")

    done = run_greenserve("hello", "--bind", "127.0.0.1:0", "--certfile", pair.certfile, "--keyfile", other.keyfile, *action)

    assert 3 == done.returncode
    assert 1 == done.stderr.count(f"the key in keyfile {other.keyfile} does not belong to the certificate in {pair.certfile}")
    assert "Traceback" not in done.stderr


def test_plain_http_is_told_where_to_go(server):
    answer = requests.get(f"http://127.0.0.1:{server.address[1]}/", timeout=20)

    assert 400 == answer.status_code
    assert "https://" in answer.text


class Visitors:
    """Clients over TLS that ask again and again, on new connections and old, until the block ends."""

    def __init__(self, server, trusted, count=4):
        self.failures, self.serials, self.answers = [], set(), 0
        self._server, self._trusted = server, trusted
        self._end = threading.Event()
        self._counted = threading.Condition()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def wait_for_answers(self, more):
        with self._counted:
            wanted = self.answers + more
            assert self._counted.wait_for(lambda: self.answers >= wanted, 30), self.failures[:3]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.wait_for_answers(10)
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._end.is_set():
            try:
                self._visit()
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))

    def _visit(self):
        """Ask up to five times on one connection, as long as the server offers it."""
        with connect(self._server, self._trusted) as client:
            self.serials.add(client.getpeercert()["serialNumber"])
            for _ in range(5):
                client.sendall(make_request())
                answer = client.recv(65536)
                assert answer.endswith(b"hello\n")
                with self._counted:
                    self.answers += 1
                    self._counted.notify_all()
                if b"Connection: close" in answer:
                    return


def test_reload_takes_the_new_certificate_and_drops_no_request(start_server, authority):
    pair = authority.issue("localhost")
    server = start_server("hello", "--workers", "2", *pair.flags)

    with Visitors(server, authority.path) as visitors:
        for generation in (2, 3):
            authority.replace(pair, "localhost")
            server.signal(signal.SIGHUP)
            server.wait_for_generation(generation)
            visitors.wait_for_answers(20)

    assert [] == visitors.failures
    assert 3 == len(visitors.serials)


def test_reload_with_a_broken_certificate_keeps_the_old_one(start_server, authority):
    pair = authority.issue("localhost")
    server = start_server("hello", *pair.flags)

    Path(pair.certfile).write_text("broken")
    server.signal(signal.SIGHUP)
    server.wait_for_log(f"certfile {pair.certfile} has no certificate in PEM form")
    server.wait_for_log("the new code was not taken")

    assert 200 == requests.get(url_of(server), verify=authority.path, timeout=20).status_code


@pytest.mark.security("deadline for handshake")
def test_crowd_of_half_handshakes_holds_up_nobody(start_server, authority):
    pair = authority.issue("localhost")
    server = start_server("hello", *pair.flags, "--handshake-timeout", "2")

    with ExitStack() as opened:
        crowd = [opened.enter_context(RawClient(server.address)) for _ in range(500)]
        for client in crowd:
            client.send(b"\x16\x03\x01\x02")
        answers = [requests.get(url_of(server), verify=authority.path, timeout=20) for _ in range(20)]
        rests = [client.receive_until_close() for client in crowd]

    assert [200] * 20 == [answer.status_code for answer in answers]
    assert max(answer.elapsed.total_seconds() for answer in answers) < 1
    assert [b""] * 500 == rests
    server.wait_for_log("more lines like the next were held back|took too long")
    assert server.log.count("took too long") < 100


def test_probes_and_garbage_leave_no_traceback(start_server, authority):
    pair = authority.issue("localhost")
    server = start_server("hello", *pair.flags)

    for word in (b"", b"\x00", b"SSH-2.0-scanner\r\n", b"\x16\x03\x01\x02\x00\x01", b"\x80\x2e\x01"):
        with RawClient(server.address) as client:
            client.send(word)
            client.finish_sending()
            client.receive_until_close()

    assert 200 == requests.get(url_of(server), verify=authority.path, timeout=20).status_code
    assert "Traceback" not in server.log
    assert server.log.count("no TLS with") <= 4
