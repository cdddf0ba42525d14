"""Rooms of Flask-SocketIO. ASYNC_MODE is handed on; without GEVENT_WEBSOCKET that package is hidden."""

import os
import sys

if "GEVENT_WEBSOCKET" not in os.environ:
    sys.modules["geventwebsocket"] = None  # type: ignore[assignment]

from flask import Flask
from flask_socketio import SocketIO, emit, join_room

application = Flask(__name__)
socketio = SocketIO(application, async_mode=os.environ["ASYNC_MODE"])


@application.get("/")
def index():
    return "plain"


@socketio.on("join")
def join(room):
    join_room(room)
    return "joined"


@socketio.on("say")
def say(room, words):
    emit("said", words, to=room)


@socketio.on("echo")
def echo(data):
    return data
