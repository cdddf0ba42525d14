"""Does at import what is done at import: asks somebody by HTTP, and waits. Tells which process did, and which answers."""

import http.client
import json
import os
import random
import socket
import threading
import time

LOADED_BY = os.getpid()


def answer_once(listener: socket.socket) -> None:
    accepted, _ = listener.accept()
    with accepted:
        accepted.recv(1000)
        accepted.sendall(b"HTTP/1.0 200 OK\r\n\r\nfine")


def ask() -> bytes:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer_once, args=[listener])
        answering.start()
        connection = http.client.HTTPConnection(*listener.getsockname())
        connection.request("GET", "/")
        answer = connection.getresponse().read()
        connection.close()
        answering.join()
        return answer


TOLD = ask()
time.sleep(0.01)


def application(environ, start_response):
    # A sleep and a name: what needs a hub of this process, and its threads.
    time.sleep(0.001)
    socket.getaddrinfo("localhost", 80)
    said = {"loaded_by": LOADED_BY, "pid": os.getpid(), "uid": os.getuid(), "random": random.random(), "told": TOLD.decode()}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]
