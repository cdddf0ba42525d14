"""Each request waits at the test's gate. `/late` says half its answer before it does."""

import os
import socket


def wait_at_gate():
    with socket.create_connection(("127.0.0.1", int(os.environ["GATE"]))) as gate:
        gate.sendall(str(os.getpid()).encode())
        gate.recv(2)


def stream():
    yield b"half"
    wait_at_gate()
    yield b"whole"


def application(environ, start_response):
    if environ["PATH_INFO"] == "/late":
        start_response("200 OK", [("Content-Length", "9")])
        return stream()
    if environ["PATH_INFO"] == "/":
        wait_at_gate()
    start_response("200 OK", [("Content-Length", "6")])
    return [b"passed"]
