"""A real server, started with what was written for gunicorn."""

from signal import SIGHUP

from tests.support.client import RawClient
from tests.support.server import APPS

CONFIGURATION = """
from gevent import monkey
monkey.patch_all()

import multiprocessing
import os

import requests

cores = multiprocessing.cpu_count()
bind = os.getenv("BIND", "127.0.0.1:0")
workers = min(cores * 2 + 1, 2)
worker_class = "gevent"
worker_tmp_dir = "/dev/shm"
statsd_host = "localhost:8125"
accesslog = "-"
forwarded_allow_ips = "*"
sendfile = None

def post_fork(server, worker):
    server.log.info("Worker spawned (pid: %s)", worker.pid)
"""

#: What ends in endless recursion if urllib3 was imported before ssl was patched.
APPLICATION = """
from urllib3.util.ssl_ import create_urllib3_context

create_urllib3_context()

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "6")])
    return [b"served"]
"""


def test_a_file_and_flags_of_gunicorns_serve(start_server, tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text(CONFIGURATION)
    (tmp_path / "shop.py").write_text(APPLICATION)
    server = start_server("-c", "gunicorn.conf.py", "--threads", "4", "shop", cwd=tmp_path)

    with RawClient(server.address) as client:
        assert b"served" == client.ask().content

    assert 2 == server.log.count("Worker spawned (pid: ")
    assert "[WARNING] --threads is gunicorn's, and passed over: each connection has a greenlet" in server.log
    assert "[WARNING] gunicorn.conf.py line 15: statsd_host is gunicorn's, and passed over: there is no statsd" in server.log
    assert 2 == server.log.count(" is gunicorn's, and passed over: ")


def test_a_reload_says_again_what_is_passed_over(start_server, tmp_path):
    path = tmp_path / "gunicorn.conf.py"
    path.write_text("")
    server = start_server("-c", str(path), "hello", cwd=APPS)

    path.write_text("spew = True")
    server.signal(SIGHUP)

    server.wait_for_log(r"\[WARNING\] .*gunicorn.conf.py line 1: spew is gunicorn's, and passed over")


FLASK_LIKE = """
import logging

theirs = logging.getLogger("gunicorn.error")
ours = logging.getLogger("shop")
ours.handlers = theirs.handlers
ours.setLevel(theirs.level)
ours.info("the shop is open")

def application(environ, start_response):
    start_response("200 OK", [])
    return []
"""


def test_an_application_logs_through_gunicorns_logger(start_server, tmp_path):
    (tmp_path / "shop.py").write_text(FLASK_LIKE)

    server = start_server("shop", cwd=tmp_path)

    assert "[INFO] the shop is open" in server.log
