"""Telling the service manager how the server is doing: sd_notify(3).

Any program that sets NOTIFY_SOCKET can listen, not only systemd. Nobody
listening, or not reading, is no reason to stop serving.
"""

import math
import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._feed_every = feeding_time(environ)
        self._feed_at = -math.inf

    def tell_ready(self, status: str) -> None:
        self.send("READY=1", f"MAINPID={os.getpid()}", f"STATUS={status}")

    def tell_reloading(self, status: str) -> None:
        # systemd tells by the time whether the reload is the one it asked for.
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", f"STATUS={status}")

    def tell_stopping(self, status: str) -> None:
        self.send("STOPPING=1", f"STATUS={status}")

    def tell_main(self, pid: int) -> None:
        """Say which process is the master from now on; only the present one is believed."""
        self.send(f"MAINPID={pid}")

    def feed_watchdog(self, now: float) -> float | None:
        """Say that the loop turns, if it is time; return when it is time again, or None if no watchdog waits for it."""
        if self._feed_every is None:
            return None
        if now >= self._feed_at:
            self._feed_at = now + self._feed_every
            self.send("WATCHDOG=1")
        return self._feed_at

    def send(self, *assignments: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = self._address.replace("@", "\0", 1) if self._address.startswith("@") else self._address
        data = "\n".join(line.replace("\n", " ") for line in assignments).encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(data, address)
            except OSError:
                return


def feeding_time(environ: Mapping[str, str]) -> float | None:
    """Return how often in seconds WatchdogSec= wants to hear of this very process; half the limit, as sd_notify(3) advises."""
    limit, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    return int(limit) / 2_000_000 if limit.isdecimal() and int(limit) > 0 and pid == str(os.getpid()) else None
