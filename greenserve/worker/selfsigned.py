"""A certificate for development, which nobody vouches for.

It is kept in the user's cache directory, the same for every worker and the next
start: a browser that was told to trust it need not be told again.
"""

import datetime
import os
import tempfile
import time
from pathlib import Path

from greenserve.errors import WorkerBootError

#: Browsers refuse certificates that are valid for longer than 398 days; a new one is made well before.
VALID_DAYS = 397
RENEW_DAYS = 300

NAMES = ("localhost", "*.localhost", "127.0.0.1", "::1")


def find_certificate() -> str:
    """Return the path of the user's own certificate and key, made now if there is none. Raises WorkerBootError."""
    path = cache_directory() / "self-signed.pem"
    try:
        if not is_fresh(path):
            keep(path, make_certificate())
    except OSError as error:
        raise WorkerBootError(f"the self-signed certificate {path} cannot be kept: {error.strerror}") from None
    return str(path)


def cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenserve"


def is_fresh(path: Path) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime < RENEW_DAYS * 86400


def keep(path: Path, pem: bytes) -> None:
    """Put the file in its place whole; of workers that start together, the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Readable by its owner alone, as mkstemp makes it.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(pem)
        if path.exists() and not is_fresh(path):
            os.replace(temporary, path)
        else:
            os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink(missing_ok=True)


def make_certificate() -> bytes:
    """Return a key and a certificate for this machine's own names, with the authority that signed it, in PEM form.

    The authority's own key is forgotten, so whoever trusts it trusts this one
    certificate and no other.
    """
    try:
        import trustme
    except ImportError:
        raise WorkerBootError("self_signed needs trustme: pip install 'greenserve[self-signed]'") from None
    authority = trustme.CA(organization_name="greenserve for development")
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=VALID_DAYS)
    issued = authority.issue_cert(*NAMES, not_after=expires)
    return issued.private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes()
