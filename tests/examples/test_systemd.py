"""The units of examples/deploy under a real systemd, to the letter."""

import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client import RawClient
from tests.support.load import load
from tests.support.proxies import Proxy
from tests.support.systemd import running_systemd, show_interpreter

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"
SERVICE, SOCKET = "greenserve.service", "greenserve.socket"

#: Somebody who may do nothing, under the name that the unit has.
SHOP = "shop:x:65534:65534::/nonexistent:/bin/false\n"

APP = """
import os
from pathlib import Path

GENERATION = str(int(Path("/srv/shop/generation").read_text()))


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2"), ("X-Generation", GENERATION), ("X-User", str(os.getuid()))])
    return [b"ok"]
"""


class Shop:
    """The units at work; `address` is where systemd listens."""

    def __init__(self, systemd, folder, address):
        self.address = address
        self._systemd = systemd
        self._folder = folder

    def control(self, *words, **options):
        return self._systemd.control(*words, **options)

    def show(self, name):
        return self._systemd.show(SERVICE, name)

    def wait_for(self, name, pattern):
        return self._systemd.wait_for(SERVICE, name, pattern)

    def deploy(self, generation):
        (self._folder / "generation").write_text(generation)

    def load(self):
        return load(Proxy("systemd", self.address), connections=3, bursts=1)


@pytest.fixture
def start_shop(tmp_path, unused_port):
    """Let systemd listen for the shop, whose service a first client starts."""

    @contextmanager
    def start(**settings):
        folder = tmp_path / "srv" / "shop"
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(APP)
        (folder / ".venv").symlink_to(sys.prefix)
        units = {name: (DEPLOY / name).read_text() for name in (SERVICE, SOCKET)}
        lines = ["[Service]", *show_interpreter(), f"StandardError=append:{tmp_path}/service.log"]
        units[f"{SERVICE}.d/test.conf"] = "\n".join([*lines, *(f"{name}={value}" for name, value in settings.items()), ""])
        units[f"{SOCKET}.d/test.conf"] = f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{unused_port}\n"
        with running_systemd(tmp_path, units, SHOP) as systemd:
            shop = Shop(systemd, folder, ("127.0.0.1", unused_port))
            shop.deploy("1")
            shop.control("start", SOCKET)
            yield shop
        print((tmp_path / "service.log").read_text()[-10000:])

    return start


def test_first_client_starts_the_service_and_stop_is_clean(start_shop):
    with start_shop() as shop:
        with RawClient(shop.address) as client:
            answer = client.ask()
        shop.wait_for("ActiveState", "^active$")

        assert ("1", "65534") == (answer.field("X-Generation"), answer.field("X-User"))
        assert "generation 1: 4 workers ready" == shop.show("StatusText")
        shop.control("stop", SOCKET, SERVICE)
        assert ("success", "0") == (shop.show("Result"), shop.show("ExecMainStatus"))


def test_start_returns_when_all_workers_serve(start_shop):
    with start_shop() as shop:
        shop.control("start", SERVICE)

        assert "generation 1: 4 workers ready" == shop.show("StatusText")


def test_reload_and_restart_under_load_lose_no_request(start_shop):
    with start_shop() as shop:
        shop.control("start", SERVICE)
        with shop.load() as clients:
            shop.deploy("2")
            shop.control("reload", SERVICE)
            shop.wait_for("StatusText", "^generation 2: 4 workers ready$")
            shop.deploy("3")
            shop.control("restart", SERVICE)
            clients.wait_for_answers(50)

        assert [] == clients.failures
        assert {1, 2, 3} == clients.generations_seen


def test_new_code_that_does_not_start_is_said_in_the_status(start_shop):
    with start_shop() as shop:
        shop.control("start", SERVICE)
        with shop.load() as clients:
            shop.deploy("broken")
            shop.control("reload", SERVICE)
            shop.wait_for("StatusText", "^generation 1: goes on, for generation 2 did not start.*ValueError")
            clients.wait_for_answers(50)

        assert [] == clients.failures
        assert "active" == shop.show("ActiveState")


def test_upgrade_under_load_is_followed_by_systemd(start_shop):
    with start_shop() as shop:
        shop.control("start", SERVICE)
        before = shop.show("MainPID")
        with shop.load() as clients:
            shop.control("kill", "--signal=USR2", "--kill-who=main", SERVICE)
            shop.wait_for("MainPID", f"^(?!{before}$|0$)")
            clients.wait_for_answers(50)
            shop.wait_for("StatusText", "ready$")

        assert [] == clients.failures
        assert ("active", "0") == (shop.show("ActiveState"), shop.show("NRestarts"))


def test_master_that_is_stuck_is_found_by_the_watchdog(start_shop):
    with start_shop(WatchdogSec=3) as shop:
        shop.control("start", SERVICE)
        shop.deploy("2")

        shop.control("kill", "--signal=STOP", "--kill-who=main", SERVICE)
        shop.wait_for("NRestarts", "^1$")

        with RawClient(shop.address) as client:
            assert "2" == client.ask().field("X-Generation")
        shop.wait_for("ActiveState", "^active$")


def test_code_that_cannot_be_loaded_is_not_tried_again(start_shop):
    with start_shop() as shop:
        shop.deploy("broken")

        shop.control("start", SERVICE, fails=True)

        assert ("failed", "4", "0") == (shop.show("ActiveState"), shop.show("ExecMainStatus"), shop.show("NRestarts"))
