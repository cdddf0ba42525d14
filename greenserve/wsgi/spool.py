"""Where content is kept that is read whole before the application is called.

In memory first, since most content is short, and past a limit in a file that
has no name: nothing is left of it when it is closed, nor when we are killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

from greenserve.errors import ContentNotStored

#: How much is read, and written to the file, at once: a slow disk holds up everybody else for one of these.
BLOCK = 65536


class Spooling(NamedTuple):
    """How content is kept."""

    #: Bytes of one request's content that stay in memory.
    memory: int = 64 << 10
    #: Where the file is made; None is the system's directory for temporary files.
    directory: str | None = None


class Spool:
    """Content that comes in blocks and becomes a file.

    Writing and rewinding raise ContentNotStored (507) if there is no room for it.
    """

    def __init__(self, spooling: Spooling) -> None:
        self._spooling = spooling
        self._in_memory = True
        self.file: BinaryIO = BytesIO()
        #: Bytes written so far.
        self.length = 0

    def write(self, block: bytes) -> None:
        self.length += len(block)
        with self._storing():
            if self._in_memory and self.length > self._spooling.memory:
                self._leave_memory()
            self.file.write(block)

    def rewind(self) -> None:
        """Make the file ready to be read."""
        with self._storing():
            self.file.seek(0)

    def close(self) -> None:
        # Closing writes what is still in the buffer, to a disk that may be full.
        with suppress(OSError):
            self.file.close()

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
