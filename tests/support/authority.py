"""A certificate authority for tests, and what it signs, as files."""

from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key


class Pair(NamedTuple):
    """A certificate and its key, in files."""

    certfile: str
    keyfile: str

    @property
    def flags(self) -> tuple[str, ...]:
        return "--certfile", self.certfile, "--keyfile", self.keyfile


class Authority:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._maker = trustme.CA()
        self._issued = 0
        #: The file that clients trust.
        self.path = str(folder / "authority.pem")
        self._maker.cert_pem.write_to_path(self.path)

    def issue(self, *names: str, common_name: str | None = None) -> Pair:
        """Return a new certificate for *names*: hosts, addresses, or the mail address of a person."""
        self._issued += 1
        pair = Pair(str(self._folder / f"{self._issued}.pem"), str(self._folder / f"{self._issued}.key"))
        issued = self._maker.issue_cert(*(names or ("localhost", "127.0.0.1")), common_name=common_name)
        self._write(pair, issued)
        return pair

    def replace(self, pair: Pair, *names: str) -> None:
        """Write another certificate over *pair*."""
        self._write(pair, self._maker.issue_cert(*names))

    def _write(self, pair: Pair, issued: trustme.LeafCert) -> None:
        Path(pair.certfile).write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(pair.keyfile)


def encrypt_key(keyfile: str, password: str) -> None:
    """Put the key in the file under a password."""
    key = load_pem_private_key(Path(keyfile).read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    Path(keyfile).write_bytes(locked)
