"""WebSockets as Flask-Sock serves them. With PING in the environment it sends pings that often, in seconds."""

import os

from flask import Flask, request
from flask_sock import Sock

application = Flask(__name__)
application.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": float(os.environ["PING"])} if "PING" in os.environ else {}
sock = Sock(application)


@application.get("/")
def index():
    return "plain"


@sock.route("/echo")
def echo(ws):
    while True:
        ws.send(ws.receive())


@sock.route("/close/<int:code>")
def close(ws, code):
    ws.receive()
    ws.close(code, "enough")


@sock.route("/crash")
def crash(ws):
    ws.receive()
    raise RuntimeError("crashed on purpose")


@sock.route("/agent")
def agent(ws):
    """Forget the client as soon as it leaves, and say why."""
    try:
        ws.receive()
    finally:
        application.logger.warning("left with %s: %s", ws.close_reason, request.headers["User-Agent"])
