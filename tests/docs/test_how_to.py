"""The configurations of the how-to pages are good, and do what the pages say."""

import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests
from websocket import create_connection

from greenserve.sources import load_config
from greenserve.worker.certificates import make_context
from tests.docs.pages import ROOT, WriteFile, find_fences, find_steps, read_page
from tests.support.authority import Authority
from tests.support.server import RunningServer
from tests.support.services import running_service


def find_haproxy() -> str | None:
    """Return where it is; Debian keeps servers off the PATH of users."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


def fence(page: str, language: str) -> str:
    return next(found.text for found in find_fences(read_page(page)) if found.language == language)


def write_files(page: str, folder: Path) -> list[Path]:
    """Write the files that the page tells to write, and return them."""
    files = [step for step in find_steps(read_page(page)) if isinstance(step, WriteFile)]
    for file in files:
        (folder / file.name).write_text(file.text)
    return [folder / file.name for file in files]


def nginx_configuration(server: str, upstream: str, port: int) -> str:
    server = server.replace("127.0.0.1:8000", upstream).replace("listen 80;", f"listen 127.0.0.1:{port};")
    return f"daemon off;\npid nginx.pid;\nerror_log stderr notice;\nevents {{}}\nhttp {{ access_log off;\n{server}}}\n"


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed (apt install nginx-light)")
def test_application_behind_nginx_knows_its_client_and_its_url(
    start_server: Callable[..., RunningServer], unused_port: int, tmp_path: Path
) -> None:
    write_files("docs/how-to/behind-nginx.md", tmp_path)
    server = start_server("app:app", cwd=tmp_path)
    upstream = server.url.removeprefix("http://")
    configuration = nginx_configuration(fence("docs/how-to/behind-nginx.md", "nginx"), upstream, unused_port)
    (tmp_path / "nginx.conf").write_text(configuration)

    with running_service(["nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"], "start worker process"):
        forged = {"Host": "shop.example", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        answer = requests.get(f"http://127.0.0.1:{unused_port}/", headers=forged, timeout=10)

    assert "127.0.0.1 asked for http://shop.example/\n" == answer.text


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed (apt install nginx-light)")
def test_websocket_echoes_behind_nginx(start_server: Callable[..., RunningServer], unused_port: int, tmp_path: Path) -> None:
    write_files("docs/how-to/websocket.md", tmp_path)
    server = start_server("app:app", cwd=tmp_path)
    whole = fence("docs/how-to/behind-nginx.md", "nginx").replace(
        "    location / {", fence("docs/how-to/websocket.md", "nginx") + "    location / {"
    )
    (tmp_path / "nginx.conf").write_text(nginx_configuration(whole, server.url.removeprefix("http://"), unused_port))

    with (
        running_service(["nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"], "start worker process"),
        closing(create_connection(f"ws://127.0.0.1:{unused_port}/echo", timeout=10)) as client,
    ):
        client.send("hello")
        answer = client.recv()

    assert "hello" == answer


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_are_good(tmp_path: Path) -> None:
    units = write_files("docs/how-to/under-systemd.md", tmp_path)
    for unit in units:
        installed = unit.read_text().replace("/srv/shop/.venv/bin", str(Path(sys.executable).parent))
        unit.write_text(installed)

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)], capture_output=True, text=True, timeout=30, check=False
    )

    complaints = [line for line in verified.stderr.splitlines() if re.search(r"shop\.(service|socket)", line)]
    assert [] == complaints
    assert 2 == len(units)


def test_dockerfile_says_the_same_as_its_page() -> None:
    lines = fence("docs/how-to/deploy-container.md", "dockerfile").splitlines()

    header = (ROOT / "Dockerfile").read_text()

    for line in lines:
        assert f"#     {line}\n" in header


@pytest.mark.parametrize("page", ["tls", "logging", "replace-workers"])
def test_settings_of_the_page_are_good(tmp_path: Path, page: str) -> None:
    settings = [found.text for found in find_fences(read_page(f"docs/how-to/{page}.md")) if found.language == "toml"]

    for text in settings:
        (tmp_path / "greenserve.toml").write_text(text)
        loaded = load_config(["app:app"], {}, tmp_path)
        assert not all(origin == "default" for origin in loaded.origins.values())


def test_hook_of_the_tls_page_changes_the_context(tmp_path: Path, authority: Authority) -> None:
    hook = fence("docs/how-to/tls.md", "python").replace("/etc/shop/revoked.pem", authority.path)
    (tmp_path / "greenserve.conf.py").write_text(hook)
    pair = authority.issue("shop.example")

    context = make_context(load_config(["app:app", *pair.flags], {}, tmp_path).config)

    assert context is not None
    assert context.verify_flags & ssl.VERIFY_CRL_CHECK_LEAF


def test_configuration_of_the_logging_page_is_in_force(start_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    settings = [found.text for found in find_fences(read_page("docs/how-to/logging.md")) if found.language == "toml"]
    (tmp_path / "greenserve.toml").write_text(next(text for text in settings if "logconfig_dict" in text))

    server = start_server("hello", "--config", str(tmp_path / "greenserve.toml"))
    requests.get(server.url, timeout=10)

    server.wait_for_log(r'^INFO 127\.0\.0\.1 - - \[.*"GET / HTTP/1\.1" 200 6')


@pytest.mark.skipif(find_haproxy() is None, reason="haproxy is not installed (apt install haproxy)")
def test_haproxy_s_configuration_is_good(tmp_path: Path) -> None:
    defaults = "defaults\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n"
    (tmp_path / "haproxy.cfg").write_text(defaults + fence("docs/how-to/behind-haproxy.md", "haproxy"))

    checked = subprocess.run([str(find_haproxy()), "-c", "-f", "haproxy.cfg"], cwd=tmp_path, capture_output=True, check=False)

    assert (0, b"") == (checked.returncode, checked.stderr)
