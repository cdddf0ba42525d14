"""So many lines a second and no more: a stranger can make us write, and must not fill the disk."""

import logging
import time


class Ration:
    """Lines of one kind, at most *most* of them a second; how many were held back is said with the next."""

    def __init__(self, logger: logging.Logger, most: int) -> None:
        self._logger = logger
        self._most = most
        self._second = 0
        self._written = 0
        self._held_back = 0

    def info(self, message: str, *args: object) -> None:
        """Write the line, or hold it back."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        self._turn_to(int(time.monotonic()))
        if self._written < self._most:
            self._written += 1
            self._logger.info(message, *args)
        else:
            self._held_back += 1

    def _turn_to(self, second: int) -> None:
        if second == self._second:
            return
        held_back, self._held_back = self._held_back, 0
        self._second, self._written = second, 0
        if held_back:
            self._logger.info("%d more lines like the next were held back", held_back)
