"""Logging as users configure it, in a server that runs."""

import signal

from tests.support.client import RawClient
from tests.support.server import run_greenserve

APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""

CONFIGURED = """
wsgi_app = "app"
[logconfig_dict.formatters.plain]
format = "%(name)s|%(message)s"
[logconfig_dict.handlers.console]
class = "logging.StreamHandler"
formatter = "plain"
[logconfig_dict.loggers."gunicorn.error"]
handlers = ["console"]
level = "INFO"
[logconfig_dict.loggers."greenserve.access"]
handlers = ["console"]
"""


def test_logging_is_configured_anew_at_a_reload(start_server, tmp_path):
    file = tmp_path / "greenserve.toml"
    file.write_text(CONFIGURED)
    (tmp_path / "app.py").write_text(APPLICATION)
    server = start_server(cwd=tmp_path)

    ask(server)
    server.wait_for_log(r"^greenserve\.error\|.*is ready after")
    server.wait_for_log(r'^greenserve\.access\|127\.0\.0\.1 - - \[.*"GET / HTTP/1\.1" 200 0')
    file.write_text(file.read_text().replace("%(name)s|", "%(name)s -> "))
    server.signal(signal.SIGHUP)
    server.wait_for_generation(2)
    ask(server)

    server.wait_for_log(r'^greenserve\.access -> 127\.0\.0\.1 - - \[.*"GET / HTTP/1\.1" 200 0')


def ask(server):
    with RawClient(server.address) as client:
        client.ask()


HANDLER = """
import logging
import gevent

class Handler(logging.StreamHandler):
    pass
"""


def test_handler_that_would_load_gevent_in_the_master_is_refused(tmp_path):
    (tmp_path / "greenserve.toml").write_text(CONFIGURED.replace("logging.StreamHandler", "shop_logs.Handler"))
    (tmp_path / "shop_logs.py").write_text(HANDLER)

    done = run_greenserve("--bind", "127.0.0.1:0", cwd=tmp_path)

    assert 1 == done.returncode
    assert "logconfig_dict cannot be applied: Unable to configure handler 'console'" in done.stderr
    assert "imports gevent, which the master must not load" in done.stderr


def test_checking_the_configuration_checks_that_of_logging(tmp_path):
    (tmp_path / "greenserve.toml").write_text(CONFIGURED.replace("StreamHandler", "SteamHandler"))
    (tmp_path / "app.py").write_text(APPLICATION)

    done = run_greenserve("--check-config", cwd=tmp_path)

    assert 1 == done.returncode
    assert "logconfig_dict cannot be applied: Unable to configure handler 'console'" in done.stderr
    assert "SteamHandler" in done.stderr
