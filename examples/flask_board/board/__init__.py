"""A message board: ordinary blocking Flask code that knows nothing of the server which runs it."""

import os
from pathlib import Path

from flask import Flask

from board import pages, stream, upstream
from board.database import open_database


def create_app() -> Flask:
    app = Flask(__name__, instance_path=str(Path(__file__).parent.parent / "instance"))
    app.config["MAX_CONTENT_LENGTH"] = 5 * 1024 * 1024
    app.config["UPSTREAM_URL"] = os.environ.get("UPSTREAM_URL")
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["board"] = open_database(os.environ.get("DATABASE_URL") or default_database_url(app))
    for part in (pages, stream, upstream):
        app.register_blueprint(part.blueprint)
    app.after_request(forbid_foreign_content)
    return app


def default_database_url(app: Flask) -> str:
    folder = Path(app.instance_path)
    folder.mkdir(exist_ok=True)
    return f"sqlite:///{folder / 'board.sqlite3'}"


def forbid_foreign_content(response):
    """Strangers upload files here: none of them may act as a page or a script of this site."""
    response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
