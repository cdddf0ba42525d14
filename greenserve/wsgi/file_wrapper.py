"""`wsgi.file_wrapper`: a file as the content of a response (PEP 3333, "Optional Platform-Specific File Handling").

Says which bytes of which descriptor the kernel may send by itself. When in
doubt it says nothing, and the file is read like any other iterable: what an
object reads need not be what stands in the file below it.
"""

import io
import os
import stat
from tempfile import _TemporaryFileWrapper
from typing import Any, NamedTuple

#: How much of a file goes out in one piece.
FILE_BLOCK = 65536

#: What open() returns for bytes. By name: a GzipFile has a descriptor too, of what is compressed.
_PLAIN = (io.BufferedReader, io.BufferedRandom, io.FileIO)


class FileWrapper:
    """Iterates a file in blocks; closed with the response."""

    def __init__(self, file: Any, block_size: int = FILE_BLOCK) -> None:
        self.file = file
        self.block_size = block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        block: bytes = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block


class FileRest(NamedTuple):
    """What is still to be read of an open file."""

    descriptor: int
    offset: int
    #: In bytes, never 0.
    length: int


def find_rest(file: Any) -> FileRest | None:
    """Return what *file* has still to give, None if it is anything but a plain file on a disk.

    Files that say they are empty are read instead: those in /proc are not.
    """
    if isinstance(file, _TemporaryFileWrapper):
        file = file.file
    if type(file) not in _PLAIN or type(getattr(file, "raw", file)) is not io.FileIO:
        return None
    try:
        if file.writable():
            file.flush()
        offset = file.tell()
        status = os.fstat(file.fileno())
    except (OSError, ValueError):
        # Reading it will say why.
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size <= offset:
        return None
    return FileRest(file.fileno(), offset, status.st_size - offset)
