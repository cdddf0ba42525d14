"""New messages as server-sent events, for as many open pages as there are.

Every stream looks into the database, so it sees what any worker has stored. A
stream holds a database connection only while it looks, never while it waits.
"""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context
from sqlalchemy import select

from board.database import Message
from board.pages import open_session

blueprint = Blueprint("stream", __name__)

LOOK_EVERY = 0.5  # seconds
#: The browser comes back by itself and says what it saw last. Ending here, before
#: a server's usual graceful timeout of 30, lets a worker finish without cutting anyone off.
STREAM_FOR = 20.0  # seconds


@blueprint.get("/events")
def events() -> Response:
    seen = request.headers.get("Last-Event-ID", type=int) or request.args.get("after", 0, type=int)
    response = Response(stream_with_context(stream_messages(seen)), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def stream_messages(seen: int) -> Iterator[str]:
    """Yield an event for each message after number `seen`, and a sign of life when there is none."""
    ends_at = time.monotonic() + STREAM_FOR
    yield "retry: 500\n\n"
    while time.monotonic() < ends_at:
        messages = find_messages_after(seen)
        for message in messages:
            yield format_event(message)
            seen = message.id
        if not messages:
            yield ":\n\n"  # A comment; writing is how a server learns that the client has left.
        time.sleep(LOOK_EVERY)


def find_messages_after(number: int) -> list[Message]:
    with open_session() as session:
        return list(session.scalars(select(Message).where(Message.id > number).order_by(Message.id).limit(50)))


def format_event(message: Message) -> str:
    """The data is the piece of HTML that the page shows, so one template draws a message in both places."""
    lines = render_template("message.html", message=message).splitlines()
    return f"id: {message.id}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
