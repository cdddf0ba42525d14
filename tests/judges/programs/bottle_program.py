import os
from hashlib import sha256

import bottle
from bottle import redirect, request, response, static_file

app = bottle.Bottle()
# Bottle keeps no more than this of a form in memory, and 1 MB is less than what tests send.
bottle.BaseRequest.MEMFILE_MAX = 10_000_000


@app.get("/text")
def text():
    response.content_type = "text/plain"
    return "a few words"


@app.post("/echo")
def echo():
    response.content_type = "application/octet-stream"
    return request.body.read()


@app.post("/upload")
def upload():
    return f"{request.forms['title']} {sha256(request.files['file'].file.read()).hexdigest()}"


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    for number in range(3):
        yield f"block {number}\n"


@app.get("/cookie")
def cookie():
    response.set_cookie("seen", "before")
    return request.get_cookie("seen", "never")


@app.get("/away")
def away():
    redirect("/text")


@app.get("/files/<name>")
def file(name):
    return static_file(name, os.environ["FILES"])


@app.get("/broken")
def broken():
    raise RuntimeError("as it was asked to")
