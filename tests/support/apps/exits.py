"""`/greenlet`, `/thread` and `/timer` call sys.exit() in one beside the request; `/wait` waits at the test's gate."""

import sys
import threading

import gevent
from gated import application as gated


def leave():
    sys.exit(3)


def begin_greenlet():
    gevent.joinall([gevent.spawn(leave)])


def begin_thread():
    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()


def begin_timer():
    timer = gevent.get_hub().loop.timer(0)
    timer.start(leave)
    gevent.sleep(0.01)


WAYS = {"/greenlet": begin_greenlet, "/thread": begin_thread, "/timer": begin_timer}


def application(environ, start_response):
    if environ["PATH_INFO"] not in WAYS:
        return gated({**environ, "PATH_INFO": "/"}, start_response)
    WAYS[environ["PATH_INFO"]]()
    start_response("200 OK", [("Content-Length", "6")])
    return [b"exited"]
