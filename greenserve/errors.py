"""Everything greenserve raises on purpose.

One tree, a class for each thing a caller can do something about. Errors that
end the server carry its exit code; errors that refuse a request carry the
status the client gets. A message says what was found, what was expected and,
where a person can act, what to do next.
"""


class GreenserveError(Exception):
    """Root of the tree: catching it catches nothing that is not ours."""


# What ends the server, or keeps it from starting.


class FatalError(GreenserveError):
    """The server cannot go on; the process ends with `exit_code`."""

    exit_code = 1


class ConfigError(FatalError):
    """A setting, or where it came from, is wrong."""

    exit_code = 1


class WorkerBootError(FatalError):
    """A worker cannot start, and the application is not to blame."""

    exit_code = 3


class AppLoadError(FatalError):
    """The application cannot be loaded. The message is a whole screen, ready to print."""

    exit_code = 4


# What refuses a request.


class ProtocolError(GreenserveError):
    """What the client sent is refused: answer with `status`, close, read nothing more."""

    status = 400


class BadRequest(ProtocolError):
    status = 400


class NotFound(ProtocolError):
    """The application is mounted elsewhere."""

    status = 404


class RequestTimeout(ProtocolError):
    status = 408


class ContentTooLarge(ProtocolError):
    status = 413


class TargetTooLong(ProtocolError):
    status = 414


class ExpectationFailed(ProtocolError):
    status = 417


class UpgradeRequired(ProtocolError):
    """The client asks for a version of WebSocket that is not spoken here."""

    status = 426


class FieldsTooLarge(ProtocolError):
    status = 431


class MethodNotImplemented(ProtocolError):
    status = 501


class TransferCodingUnknown(ProtocolError):
    status = 501


class Overloaded(ProtocolError):
    """The request is fine, and there is no room for it now."""

    status = 503


class SpoolFull(Overloaded):
    """The content of other requests takes all the room that there is for it."""


class VersionNotSupported(ProtocolError):
    status = 505


class ContentNotStored(ProtocolError):
    """There is no room for what the client sent, and that is our own fault."""

    status = 507


# What ends one exchange.


class BadResponse(GreenserveError):
    """The application answered with something that cannot go on the wire; the client gets 500."""


class ClientDisconnected(GreenserveError, ConnectionError):
    """The client left in the middle of an exchange.

    Also a ConnectionError, because that is what an application which guards
    its reading and writing already catches.
    """


class TunnelClosed(ClientDisconnected, BrokenPipeError):
    """An application that took its connection over can send nothing more on it.

    Also a BrokenPipeError, because that is what libraries expect of a socket.
    """


class HandshakeFailed(GreenserveError):
    """TLS could not begin on a connection. The message says why, in a clause."""

    def __init__(self, reason: str, *, silent: bool = False) -> None:
        """*silent* is a client that left without a word."""
        super().__init__(reason)
        self.silent = silent


class ProxyHeaderRefused(GreenserveError):
    """A connection did not begin as the PROXY protocol has it. The message says how it did, in a clause."""
