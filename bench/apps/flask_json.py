"""A small answer of a framework that many use."""

from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    return {"message": "Hello, world!", "numbers": [1, 2, 3]}
