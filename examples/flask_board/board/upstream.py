"""A page that waits for another server, as most pages of most applications do.

The other server is, unless UPSTREAM_URL names a real one, this application
again. Its address comes from the server, never from the request's Host field:
a client must not choose where we connect to.
"""

import time

import requests
from flask import Blueprint, Response, current_app, render_template, request, url_for

blueprint = Blueprint("upstream", __name__)


@blueprint.get("/slow")
def slow() -> str:
    """Blocking code, on purpose: the worker serves others meanwhile."""
    started = time.monotonic()
    answer = requests.get(upstream_url(), params={"seconds": asked_seconds()}, timeout=15)
    answer.raise_for_status()
    return render_template("slow.html", answer=answer.text, elapsed=time.monotonic() - started)


def upstream_url() -> str:
    own = f"http://127.0.0.1:{request.environ['SERVER_PORT']}{url_for('upstream.upstream')}"
    return current_app.config["UPSTREAM_URL"] or own


@blueprint.get("/upstream")
def upstream() -> Response:
    time.sleep(asked_seconds())
    return Response("The upstream has answered.", mimetype="text/plain")


def asked_seconds() -> float:
    return min(max(request.args.get("seconds", 1.0, type=float), 0.0), 10.0)
