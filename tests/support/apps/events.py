"""An application of python-socketio alone, around nothing."""

import os

import socketio

server = socketio.Server(async_mode=os.environ["ASYNC_MODE"])
application = socketio.WSGIApp(server)


@server.on("echo")
def echo(sid, data):
    return data
