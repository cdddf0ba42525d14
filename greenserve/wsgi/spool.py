"""Where content is kept that is read whole before the application is called.

In memory first, since most content is short, and past a limit in a file that
has no name: nothing is left of it when it is closed, nor when we are killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO

from greenserve.errors import ContentNotStored, SpoolFull

#: How much is read, and written to the file, at once: a slow disk holds up everybody else for one of these.
BLOCK = 65536


class Spooling:
    """How the content of all requests is kept, and how much of it is in files at present."""

    def __init__(self, memory: int = 64 << 10, directory: str | None = None, limit: int = 0) -> None:
        """Keep *memory* bytes of a request in memory, the rest in *directory*; *limit* is for all files, 0 is none."""
        self.memory = memory
        #: None is the system's directory for temporary files.
        self.directory = directory
        self._limit = limit
        self._held = 0

    def take(self, size: int) -> None:
        """Ask for room for *size* more bytes. Raises SpoolFull (503) if there is none for now."""
        if self._limit and self._held + size > self._limit:
            raise SpoolFull("the content of the requests in progress takes all of spool_limit")
        self._held += size

    def give_back(self, size: int) -> None:
        self._held -= size


class Spool:
    """Content that comes in blocks and becomes a file.

    Writing and rewinding raise ContentNotStored (507) if the disk has no room
    for it, writing also SpoolFull (503) if other requests have it for now.
    """

    def __init__(self, spooling: Spooling) -> None:
        self._spooling = spooling
        self._in_memory = True
        self.file: BinaryIO = BytesIO()
        #: Bytes written so far.
        self.length = 0
        self._stored = 0

    def write(self, block: bytes) -> None:
        self.length += len(block)
        with self._storing():
            if self._in_memory and self.length > self._spooling.memory:
                self._leave_memory()
            if not self._in_memory:
                self._account()
            self.file.write(block)

    def rewind(self) -> None:
        """Make the file ready to be read."""
        with self._storing():
            self.file.seek(0)

    def close(self) -> None:
        # Closing writes what is still in the buffer, to a disk that may be full.
        with suppress(OSError):
            self.file.close()
        self._spooling.give_back(self._stored)
        self._stored = 0

    def _account(self) -> None:
        """Take the room for what is in the file, or about to be."""
        self._spooling.take(self.length - self._stored)
        self._stored = self.length

    def _leave_memory(self) -> None:
        content = self.file
        self.file = TemporaryFile(dir=self._spooling.directory)  # noqa: SIM115  # close() closes it
        self._in_memory = False
        content.seek(0)
        self.file.write(content.read())

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            directory = self._spooling.directory or "the directory for temporary files"
            raise ContentNotStored(
                f"the content of a request cannot be kept in {directory} ({error.strerror}): see tmp_upload_dir"
            ) from error
