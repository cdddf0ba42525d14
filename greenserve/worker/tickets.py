"""One key for the session tickets of all workers, so that a client may resume with any of them.

OpenSSL makes a key for each context, and so for each worker: of four, three
would not know the ticket that the fourth has given. Python's ssl module offers no way to
set it, so this reaches for OpenSSL's own function, in interpreters whose
objects are known to look as they do here. Elsewhere a client meets its worker
by chance, and pays a whole handshake if not.
"""

import _ssl
import ctypes
import hashlib
import platform
import ssl
import sys

#: Interpreters in which an SSLContext begins with a pointer to OpenSSL's (Modules/_ssl.c, PySSLContext).
KNOWN = ((3, 10), (3, 13))

#: SSL_CTRL_SET_TLSEXT_TICKET_KEYS of <openssl/tls1.h>, and the bytes it takes: a name, a key to sign, a key to encrypt.
SET_KEYS = 59
SIZE = 80


def share_tickets(context: ssl.SSLContext, secret: bytes, generation: int) -> bool:
    """Give *context* the ticket key that all workers of the *generation* have; return whether that was possible.

    A reload changes the key: whoever steals one can read what was resumed with it over TLS 1.2.
    """
    if platform.python_implementation() != "CPython" or not KNOWN[0] <= sys.version_info[:2] <= KNOWN[1]:
        return False
    try:
        control = ctypes.CDLL(_ssl.__file__).SSL_CTX_ctrl
    except (AttributeError, OSError):
        # OpenSSL is built into the interpreter, and does not show its functions.
        return False
    control.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    control.restype = ctypes.c_long
    key = hashlib.shake_256(secret + generation.to_bytes(8, "big")).digest(SIZE)
    return bool(control(pointer_in(context), SET_KEYS, SIZE, key) == 1)


def pointer_in(context: ssl.SSLContext) -> ctypes.c_void_p:
    """Return OpenSSL's SSL_CTX, which stands right behind what every object begins with."""
    return ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
