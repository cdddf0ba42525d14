"""Who has the port that we want: the question of everyone who reads "address already in use".

Best effort, from /proc: None where it does not say, as for another user's processes.
"""

import os
from collections.abc import Iterator

LISTEN = "0A"


def find_occupant(port: int) -> str | None:
    """Return 'pid 123 (python3 app.py)' for a process that listens on TCP *port* here."""
    links = {f"socket:[{inode}]" for inode in find_inodes(port)}
    for pid in find_pids() if links else ():
        if links & set(read_descriptors(pid)):
            return f"pid {pid} ({read_command(pid)})"
    return None


def find_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        for fields in map(str.split, read_lines(f"/proc/net/{table}")[1:]):
            local, state, inode = fields[1], fields[3], fields[9]
            if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
                yield inode


def find_pids() -> list[int]:
    """The oldest first: a master rather than its workers."""
    try:
        return sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
    except OSError:
        return []


def read_descriptors(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            yield os.readlink(f"{folder}/{name}")
    except OSError:
        return


def read_command(pid: int) -> str:
    words = "\n".join(read_lines(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()
    return repr(words[:80])[1:-1] or "unknown"


def read_lines(path: str) -> list[str]:
    try:
        with open(path, errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
