"""Begins at import what a fork does not copy well."""

import asyncio
import socket
import subprocess
import threading
import time

import gevent

LISTENER = socket.create_server(("127.0.0.1", 0))
CONNECTION = socket.create_connection(LISTENER.getsockname())
LOOP = asyncio.new_event_loop()
CHILD = subprocess.Popen(["sleep", "2"])
threading.Thread(target=time.sleep, args=[3600], name="refresher", daemon=True).start()


def wait_for_changes():
    gevent.sleep(3600)


WAITING = gevent.spawn(wait_for_changes)


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"fine"]
