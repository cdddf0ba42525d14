"""One exchange without a socket: what an application makes of a request, as the bytes that would leave."""

from greenserve.protocol.content import content_after
from greenserve.protocol.head import parse_request_head
from greenserve.protocol.limits import Limits
from greenserve.wsgi.exchange import Exchange
from greenserve.wsgi.input import Input

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


class RecordingChannel:
    """A connection that remembers what was sent, and may have been cut."""

    def __init__(self, persists=True, error=None):
        self.sends = []
        #: How many of the sends might have waited for the turn of the loop to end.
        self.streamed = 0
        self._persists = persists
        self._error = error

    def send(self, *pieces):
        if self._error is not None:
            raise self._error
        self.sends.append(b"".join(pieces))

    def stream(self, *pieces):
        self.send(*pieces)
        self.streamed += 1

    def date(self):
        return DATE

    def may_persist(self):
        return self._persists


class Outcome:
    """What is left after an exchange."""

    def __init__(self, exchange, channel, rest):
        self.exchange = exchange
        self.sends = channel.sends
        self.streamed = channel.streamed
        self.rest = rest
        self.wire = b"".join(channel.sends)
        self.head, _, self.content = self.wire.partition(b"\r\n\r\n")
        self.status, *lines = self.head.decode("latin-1").split("\r\n")
        self.fields = dict(line.split(": ", 1) for line in lines)


def run(application, request=GET, more=(), channel=None):
    """Run *application* on *request*; *more* are pieces of content that come later."""
    channel = channel or RecordingChannel()
    buffer = bytearray(request)
    limits = Limits()
    head = parse_request_head(buffer, {"wsgi.version": (1, 0)}, limits)
    del buffer[: head.size]
    pieces = iter(more)
    welcome = (lambda: channel.send(b"CONTINUE")) if head.expects_continue else None
    content = Input(content_after(head, limits), buffer, lambda: buffer.extend(next(pieces)), welcome)
    exchange = Exchange(head, content, channel)
    head.environ["wsgi.early_hints"] = exchange.send_early_hints
    exchange.run(application)
    return Outcome(exchange, channel, bytes(buffer))


def answer(status="200 OK", fields=(), blocks=()):
    """Return an application that always answers so."""

    def application(environ, start_response):
        start_response(status, list(fields))
        return blocks

    return application
