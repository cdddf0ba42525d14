"""The pages a person sees: read, post, download."""

from pathlib import PurePath

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from board.database import Attachment, Message, take_turn

blueprint = Blueprint("pages", __name__)

#: What a browser may show in the page. All else, SVG too, which can carry scripts, is only ever saved.
SHOWN_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}


def open_session() -> Session:
    return current_app.extensions["board"]()


@blueprint.get("/")
def index() -> str:
    with open_session() as session:
        newest_first = select(Message).order_by(Message.id.desc()).limit(50)
        return render_template("index.html", messages=session.scalars(newest_first).all())


@blueprint.post("/messages")
def post_message() -> Response:
    message = read_form()
    with open_session() as session, session.begin():
        take_turn(session.connection())
        session.add(message)
    return redirect(url_for("pages.index"), code=303)


def read_form() -> Message:
    """Return the message in the request's form, or refuse it with 400."""
    text = request.form.get("text", "").strip()
    author = request.form.get("author", "").strip() or "Anonymous"
    if not text or len(text) > 2000 or len(author) > 60:
        abort(400, "A message has 1 to 2000 characters, a name at most 60.")
    upload = request.files.get("attachment")
    return Message(author=author, text=text, attachment=read_upload(upload) if upload and upload.filename else None)


def read_upload(upload: FileStorage) -> Attachment:
    """The name is only ever shown and offered for saving; no file is opened by it here."""
    name = PurePath(upload.filename.replace("\\", "/")).name[-200:]
    media_type = SHOWN_TYPES.get(PurePath(name).suffix.lower(), "application/octet-stream")
    return Attachment(name=name, media_type=media_type, content=upload.read())


@blueprint.get("/attachments/<int:number>")
def download(number: int) -> Response:
    with open_session() as session:
        attachment = session.get(Attachment, number) or abort(404)
        response = Response(attachment.content, mimetype=attachment.media_type)
    shown = attachment.media_type in SHOWN_TYPES.values()
    response.headers.set("Content-Disposition", "inline" if shown else "attachment", filename=attachment.name)
    response.cache_control.max_age = 3600
    return response
