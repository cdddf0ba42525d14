"""TLS as a filter: bytes in plain on our side, encrypted on the transport below.

OpenSSL reads and writes memory and never a socket, so waiting, deadlines and
patience are those of any connection. The certificates are the business of
certificates.py.
"""

import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from typing import Any, NoReturn

from greenserve.errors import ClientDisconnected, HandshakeFailed
from greenserve.protocol.response import make_refusal
from greenserve.status import Row
from greenserve.worker.transport import Transport
from greenserve.worker.wire import DeadlineExceeded, now
from greenserve.wsgi.certificate import certificate_environ, session_environ

#: The longest record (RFC 8446 section 5.1), and so the most that OpenSSL decrypts in one go.
RECORD = 16384

#: So much is encrypted at once: until the client has taken it, it is held twice.
PIECE = 65536

#: So many bytes may come without content. Key updates are legal and a dear
#: affair, 18 us and an answer for 27 bytes, and OpenSSL takes any number of them.
BARREN = 131_072

#: The first byte of every TLS connection: a record of the handshake.
HANDSHAKE = b"\x16"

#: After a failed handshake the client gets so long to read why, before it is cut off.
FAREWELL = 2.0

PLAIN_HTTP = "This port speaks HTTPS, and the request came as plain HTTP: ask again with https://\n"


class TlsTransport:
    """One accepted socket, with TLS on it: does for a Connection what a Transport does."""

    __slots__ = ("_carrier", "_cut", "_flushing", "_incoming", "_outgoing", "_row", "_session")

    buffers = True

    def __init__(self, carrier: Transport, context: ssl.SSLContext, row: Row) -> None:
        self._carrier = carrier
        self._row = row
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._cut = False
        self._flushing = False

    @property
    def carrier(self) -> Transport:
        """What moves the bytes."""
        return self._carrier

    # The handshake.

    def open(self, deadline: float) -> dict[str, str]:
        """Shake hands, and return what environ tells of it.

        Raises HandshakeFailed, when the client has been told why.
        """
        try:
            self._attempt(deadline)
        except HandshakeFailed as failure:
            self._row["handshakes_failed"] += not failure.silent
            raise
        self._row["handshakes"] += 1
        self._row["handshakes_resumed"] += bool(self._session.session_reused)
        return self._describe()

    def _attempt(self, deadline: float) -> None:
        try:
            self._shake_hands(deadline)
        except DeadlineExceeded:
            self._row["deadlines_handshake"] += 1
            raise HandshakeFailed("the client took too long") from None
        except ssl.SSLError as error:
            self._carrier.send_now(self._outgoing.read())
            self._part(reason_of(error))
        except ClientDisconnected as error:
            raise HandshakeFailed(str(error)) from None

    def _part(self, reason: str) -> NoReturn:
        """End a handshake that failed, so that the client gets to read what it was told."""
        self._carrier.linger(now() + FAREWELL, FAREWELL)
        raise HandshakeFailed(reason)

    def _shake_hands(self, deadline: float) -> None:
        self._receive_hello(deadline)
        while True:
            try:
                # What this leaves to be sent may wait: it goes with the first answer, or before the next wait.
                return self._session.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
            data = self._carrier.receive(deadline)
            if not data:
                raise HandshakeFailed("the client left in the middle of it")
            self._incoming.write(data)

    def _receive_hello(self, deadline: float) -> None:
        """Receive the beginning of a handshake; refuse here what is none, for OpenSSL knows but a few words of HTTP."""
        data = self._carrier.receive(deadline)
        if not data:
            raise HandshakeFailed("the client left without a word", silent=True)
        if data[:1].isalpha():
            self._carrier.send(make_refusal(400, method="GET", date=formatdate(usegmt=True), text=PLAIN_HTTP))
            self._part("the client speaks plain HTTP")
        if data[:1] != HANDSHAKE:
            raise HandshakeFailed(f"the client does not speak TLS, but says {data[:16]!r}")
        self._incoming.write(data)

    def _describe(self) -> dict[str, str]:
        session = self._session
        cipher = session.cipher()
        assert cipher is not None
        told = session_environ(cipher[0], session.version() or "", session.session_reused)
        certificate = session.getpeercert(binary_form=True)
        if certificate is not None:
            told |= certificate_environ(session.getpeercert() or {}, ssl.DER_cert_to_PEM_cert(certificate))
        return told

    # What a Transport does.

    @property
    def socket(self) -> Any:
        """The accepted socket, whose bytes are encrypted."""
        return self._carrier.socket

    @property
    def pending(self) -> int:
        """How many bytes have left the socket and were not received yet."""
        return self._session.pending() + self._incoming.pending

    def receive(self, deadline: float, size: int = RECORD) -> bytes:
        """Return what the client sent next, at most *size* bytes, b"" if it has finished sending.

        Leaving without a close_notify counts as finishing: a request says
        itself where it ends, so nobody can pass off a part of one as the whole
        (RFC 9112 section 9.8).
        """
        barren = 0
        while (data := self._decrypt(size)) is None:
            if barren > BARREN:
                raise ClientDisconnected(f"{barren} bytes of TLS had no content")
            self._flush()
            received = self._carrier.receive(deadline)
            if not received:
                return b""
            barren += len(received)
            self._incoming.write(received)
        return data

    def receive_now(self, size: int = RECORD) -> bytes | None:
        """Return what is there already; None if there is nothing."""
        while (data := self._decrypt(size)) is None:
            received = self._carrier.receive_now()
            if not received:
                return received
            self._incoming.write(received)
        return data

    def sleep(self, deadline: float, sleeper: Callable[[], None]) -> None:
        """Let *sleeper* have a new greenlet when the client sends something, or leaves, or the clock passes *deadline*."""
        self._carrier.sleep(deadline, sleeper)

    def _decrypt(self, size: int) -> bytes | None:
        """Return content of the next record, None if the rest of it must come first."""
        if not (self._incoming.pending or self._session.pending()):
            # OpenSSL would raise: 2.8 us, more than it takes to decrypt a request.
            return None
        try:
            return self._session.read(min(size, RECORD))
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            self._carrier.send_now(self._outgoing.read())
            raise ClientDisconnected(f"the client broke TLS: {reason_of(error)}") from None

    def send(self, *pieces: bytes) -> None:
        """Send all the *pieces*, encrypted a part at a time, to a client that takes them in time."""
        self._send_all(pieces, self._carrier.send)

    def stream(self, *pieces: bytes) -> None:
        """Send *pieces*, with what follows in this turn of the loop or without."""
        self._send_all(pieces, self._carrier.stream)

    def _send_all(self, pieces: tuple[bytes, ...], send: Callable[[bytes], None]) -> None:
        joined = (b"".join(pieces),) if sum(map(len, pieces)) <= PIECE else pieces
        for piece in joined:
            view = memoryview(piece)
            for start in range(0, len(view), PIECE):
                self._encrypt(view[start : start + PIECE])
                self._flush(send)

    def send_file(self, file: int, offset: int, count: int) -> int:
        """Send some of *count* bytes of an open file from *offset* on; return how many, 0 at its end."""
        block = os.pread(file, min(count, PIECE), offset)
        self.send(block)
        return len(block)

    copy_file = send_file

    def _encrypt(self, data: memoryview) -> None:
        try:
            self._session.write(data)
        except ssl.SSLError as error:
            raise ClientDisconnected(f"TLS has ended: {reason_of(error)}") from None

    def _flush(self, send: Callable[[bytes], None] | None = None) -> None:
        """Send what OpenSSL has ready.

        On a shared connection who receives may have something to send, too. It
        must not come between the parts of a record, so one greenlet sends for both.
        """
        if self._flushing:
            return
        self._flushing = True
        try:
            while self._outgoing.pending:
                (send or self._carrier.send)(self._outgoing.read())
        finally:
            self._flushing = False

    def take_turns(self) -> None:
        """Let others run if this connection has had its time."""
        self._carrier.take_turns()

    def interrupt(self) -> None:
        """End the present wait as if its deadline had passed; called in the hub."""
        self._carrier.interrupt()

    def hasten(self, deadline: float) -> None:
        """Bring the deadline of the present wait forward to *deadline*."""
        self._carrier.hasten(deadline)

    def share(self) -> None:
        """From now on one greenlet may send while another receives."""
        self._carrier.share()

    # The end.

    def finish_sending(self) -> None:
        """Say that nothing more will be sent."""
        if not self._flushing:
            self._say_goodbye()
        self._carrier.finish_sending()

    def cut(self) -> None:
        """Let the end look like what it is, an accident: what was sent is not whole."""
        self._cut = True

    def linger(self, end: float, silence: float) -> None:
        """Say that nothing more will be sent, then drop what the client still sends, undecrypted."""
        self._say_goodbye()
        self._carrier.linger(end, silence)

    def close(self) -> None:
        if not self._cut:
            self._say_goodbye()
        self._carrier.close()

    def _say_goodbye(self) -> None:
        """Send close_notify, if that is possible at once: a client that has read it knows that nothing is missing.

        Its own is not waited for (RFC 8446 section 6.1).
        """
        # SSLWantReadError, since there is no answer yet; or the handshake had not ended.
        with suppress(OSError):
            self._session.unwrap()
        self._carrier.send_now(self._outgoing.read())


AnyTransport = Transport | TlsTransport


def reason_of(error: ssl.SSLError) -> str:
    """Return what OpenSSL says, in its words and without its line numbers."""
    reason = (error.reason or type(error).__name__).lower().replace("_", " ")
    verification = getattr(error, "verify_message", "")
    return f"{reason} ({verification})" if verification else reason
