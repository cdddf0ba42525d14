"""What everyone may know about every worker: a table in memory that all processes share.

The master makes one `Scoreboard` before it forks. Each worker writes its own
row and nobody else's, so there is no lock; a number is eight aligned bytes,
which the processor writes whole.
"""

import mmap
import os
import signal
import struct
import time

#: The columns of a row, each with what it means. Those that count only grow; the
#: others are of this moment. A new one goes to the end.
COLUMNS = {
    "heartbeat_ms": "When the hub last turned, in milliseconds of the monotonic clock.",
    "connections": "Connections that are open.",
    "accepting": "Whether it accepts connections: 1 from when it is ready until it drains.",
    "in_flight": "Requests that the application works on.",
    "accepted": "Connections accepted so far.",
    "requests": "Requests answered so far.",
    "connections_evicted": "Idle connections let go to make room for new ones.",
    "connections_over_address_limit": "Connections closed at once, because their client had enough of them.",
    "accept_pauses": "Times that accepting rested, because the system had no descriptor or memory left.",
    "requests_turned_away": "Requests answered 503, because too many were in the application.",
    "contents_turned_away": "Requests answered 503, because the content of others took all of spool_limit.",
    "deadlines_head": "Connections ended because a request head did not arrive in time.",
    "deadlines_idle": "Connections ended because no request came for too long.",
    "deadlines_content": "Requests ended because their content did not arrive in time.",
    "deadlines_write": "Connections ended because the client did not take the answer in time.",
    "refused_400": "Requests refused because they could be read in two ways, or in none.",
    "refused_413": "Requests refused because of the length of their content.",
    "refused_414": "Requests refused because of the length of their request line.",
    "refused_417": "Requests refused because of an expectation that cannot be met.",
    "refused_431": "Requests refused because of the length or the number of their fields.",
    "refused_501": "Requests refused because of their method or their transfer coding.",
    "refused_505": "Requests refused because of their version of HTTP.",
    "refused_507": "Requests refused because there was no room on the disk for their content.",
    "dropped_fields": "Fields kept from the application because of their names.",
    "used_permit_obsolete_folding": "Heads that only permit_obsolete_folding let pass.",
    "used_strip_header_spaces": "Heads that only strip_header_spaces let pass.",
    "used_permit_unconventional_http_method": "Heads that only permit_unconventional_http_method let pass.",
    "used_permit_unconventional_http_version": "Heads that only permit_unconventional_http_version let pass.",
    "used_casefold_http_method": "Heads whose method casefold_http_method changed.",
    "used_header_map": "Heads with a name that header_map changed.",
    "handshakes": "TLS handshakes completed so far.",
    "handshakes_resumed": "TLS handshakes that took up an earlier session.",
    "handshakes_failed": "Connections that ended because TLS could not begin.",
    "deadlines_handshake": "Connections ended because a TLS handshake did not finish in time.",
    "websockets": "WebSocket connections that are open.",
    "websockets_opened": "WebSocket connections opened so far; they are no requests.",
    "refused_426": "Requests refused because of their version of WebSocket.",
    "refused_404": "Requests refused because their path is not below root_path.",
    "proxy_headers": "Connections whose client a proxy named in the PROXY protocol.",
    "proxy_headers_refused": "Connections closed because they did not begin as the PROXY protocol has it.",
    "responses_5xx": "Requests answered with a status from 500 on.",
    "born_ms": "When the process was forked, in milliseconds of the monotonic clock.",
    "boot_ms": "How long it took from then until it was ready, in milliseconds.",
    "access_lines_lost": "Lines of the access log that could not be written.",
    "tells_stacks": "Whether it tells where it is when it is stuck.",
}

_INDEX = {column: index for index, column in enumerate(COLUMNS)}
_HEARTBEAT, _CONNECTIONS, _ACCEPTING = (_INDEX[column] for column in ("heartbeat_ms", "connections", "accepting"))

#: Room for every worker and its replacement; memory that nobody writes to costs nothing.
MAX_ROWS = 1024
WIDTH = 64

#: How much of the line of the last request a row keeps, in bytes.
LINE = 120

_pack_line = struct.Struct(f"{LINE}s").pack_into

#: Room for the stacks of one worker, in bytes; it is taken only when something is written.
STACKS = 1 << 20

#: Asks a worker for its stacks. Nobody else uses a number so high.
STACKS_SIGNAL = signal.SIGRTMAX - 1 if hasattr(signal, "SIGRTMAX") else signal.SIGUSR2


def monotonic_ms() -> int:
    """Return the time of the clock that heartbeats are written in; the same in every process."""
    return int(time.monotonic() * 1000)


class Row:
    """One worker's row: `row["requests"] += 1`."""

    __slots__ = ("_cells", "_line", "_stacks")

    def __init__(self, cells: memoryview, line: memoryview, stacks: tuple[int, int]) -> None:
        """*stacks* is the file that they are written to, and where in it."""
        self._cells = cells
        self._line = line
        self._stacks = stacks

    def __getitem__(self, column: str) -> int:
        return self._cells[_INDEX[column]]

    def __setitem__(self, column: str, value: int) -> None:
        self._cells[_INDEX[column]] = value

    def cell(self, column: str) -> "Cell":
        return Cell(self._cells[_INDEX[column] :][:1])

    def clear(self) -> None:
        for index in range(WIDTH):
            self._cells[index] = 0
        self._line[:] = bytes(LINE)

    def note(self, head: bytes | bytearray) -> None:
        """Keep the line that *head* begins with: if the worker gets stuck, this is what it has begun last."""
        _pack_line(self._line, 0, head)

    def read_line(self) -> str:
        """Return the line of the last request, cut if it is long; empty before the first."""
        return bytes(self._line).strip(b"\0").partition(b"\r")[0].decode("latin-1")

    def open_stacks(self) -> int:
        """Return a descriptor to write stacks to, for `take_stacks` to find. Raises OSError where that cannot be."""
        file, position = self._stacks
        # Opened anew, for a position of its own.
        descriptor = os.open(f"/proc/self/fd/{file}", os.O_WRONLY | os.O_CLOEXEC)
        os.lseek(descriptor, position, os.SEEK_SET)
        return descriptor

    def take_stacks(self) -> str:
        """Return the stacks that were written, and forget them; empty if there are none."""
        file, position = self._stacks
        if file < 0:
            return ""
        data = os.pread(file, STACKS, position).partition(b"\0")[0]
        os.pwrite(file, bytes(len(data)), position)
        return data.decode("utf-8", "backslashreplace")

    def read(self) -> dict[str, int]:
        """Return the row as it stands, by column."""
        return dict(zip(COLUMNS, self._cells, strict=False))


class Cell:
    """One number of a row, for who counts it with every request."""

    __slots__ = ("_number",)

    def __init__(self, number: memoryview) -> None:
        self._number = number

    def add(self, number: int) -> None:
        self._number[0] += number


class Scoreboard:
    """The table. `in_use` rows from the first on have been given to somebody, now or earlier."""

    def __init__(self, rows: int = MAX_ROWS, stacks: int = -1) -> None:
        """*stacks* is a file in memory for what stuck workers say, -1 for none."""
        cells = (rows + 1) * WIDTH * 8
        self._memory = mmap.mmap(-1, cells + rows * LINE)
        self._cells = memoryview(self._memory)[:cells].cast("q")
        self._lines = memoryview(self._memory)[cells:]
        self._stacks = stacks
        #: Two cells behind the last row, so that the workers see what the master writes.
        self._in_use = rows * WIDTH
        self._leaving = self._in_use + 1

    @property
    def in_use(self) -> int:
        return self._cells[self._in_use]

    @property
    def leaving(self) -> bool:
        """Whether the whole server is to stop, though it may accept for some seconds more."""
        return self._cells[self._leaving] != 0

    def leave(self) -> None:
        self._cells[self._leaving] = 1

    def lend(self, index: int) -> Row:
        """Return row *index* for a new worker, empty."""
        self._cells[self._in_use] = max(self.in_use, index + 1)
        row = self.row(index)
        row.clear()
        return row

    def column(self, name: str) -> memoryview:
        """Return one number of every row in use."""
        return self._cells[_INDEX[name] : self.in_use * WIDTH : WIDTH]

    def fewest_connections(self, since: int, most: int) -> int:
        """Return how many connections the least loaded has of the workers that accept, *most* if none has fewer.

        Who has shown no sign of life *since*, in milliseconds, is not looked at.
        """
        cells = self._cells
        fewest = most
        for start in range(0, self.in_use * WIDTH, WIDTH):
            count = cells[start + _CONNECTIONS]
            if count < fewest and cells[start + _ACCEPTING] and cells[start + _HEARTBEAT] > since:
                fewest = count
        return fewest

    def row(self, index: int) -> Row:
        cells = self._cells[index * WIDTH : (index + 1) * WIDTH]
        return Row(cells, self._lines[index * LINE : (index + 1) * LINE], (self._stacks, index * STACKS))
