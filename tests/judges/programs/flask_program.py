import os
from hashlib import sha256

from flask import Flask, Response, redirect, request, send_from_directory

app = Flask(__name__)


@app.get("/text")
def text():
    return Response("a few words", content_type="text/plain")


@app.post("/echo")
def echo():
    return Response(request.get_data(), content_type="application/octet-stream")


@app.post("/upload")
def upload():
    return f"{request.form['title']} {sha256(request.files['file'].read()).hexdigest()}"


@app.get("/stream")
def stream():
    return Response((f"block {number}\n" for number in range(3)), content_type="text/plain")


@app.get("/cookie")
def cookie():
    response = Response(request.cookies.get("seen", "never"))
    response.set_cookie("seen", "before")
    return response


@app.get("/away")
def away():
    return redirect("/text")


@app.get("/files/<name>")
def file(name):
    return send_from_directory(os.environ["FILES"], name)


@app.get("/broken")
def broken():
    raise RuntimeError("as it was asked to")
