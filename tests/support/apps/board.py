"""An ordinary Flask application, unaware of its server."""

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/")
def index():
    return "<h1>hello from Flask</h1>"


@app.post("/json")
def mirror():
    return jsonify(request.get_json())


@app.post("/upload")
def upload():
    return {name: len(file.read()) for name, file in request.files.items()}
