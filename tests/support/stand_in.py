"""A small stand-in for greenserve, with faults on demand, to try the test support on.

    python stand_in.py FAULT

FAULT is `none`, or what it does wrong: `silent` (is never ready), `dies` (ends
before it is ready), `deaf` (ignores SIGTERM), `untidy` (leaves a process behind),
`angry` (ends with exit code 9 when it is told to stop).
"""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and content in one send: the second would wait until the first is acknowledged.
    wbufsize = -1

    def log_request(self, *_):
        """Say nothing of each request."""

    def do_GET(self):
        if self.path == "/drop":
            self.close_connection = True
            return
        self.send_response(503 if self.path == "/unready" else 200)
        self.send_header("Content-Length", "2")
        self.send_header("X-Generation", "1")
        self.end_headers()
        self.wfile.write(b"ok")


def notify(message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.sendto(message.encode(), os.environ["NOTIFY_SOCKET"])


def make_server():
    assert os.environ["LISTEN_PID"] == str(os.getpid())
    server = http.server.ThreadingHTTPServer(("", 0), Answer, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=3)
    server.daemon_threads = True
    return server


def main(fault):
    print(f"stand-in with fault: {fault}", flush=True)
    if fault == "dies":
        sys.exit(7)
    if fault == "silent":
        signal.pause()
    if fault == "untidy":
        subprocess.Popen(["sleep", "600"], close_fds=False)
    server = make_server()
    stop = signal.SIG_IGN if fault == "deaf" else lambda *_: threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, stop)
    notify("READY=1\nSTATUS=generation 1: 1 worker ready")
    server.serve_forever(poll_interval=0.02)
    sys.exit(9 if fault == "angry" else 0)


main(sys.argv[1])
