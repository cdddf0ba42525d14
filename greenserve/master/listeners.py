"""Which listeners each generation has.

A reload opens what is new and leaves alone what stays: the queue of a listener
that stays loses nobody. What is not wanted any more is closed when no worker of
the old generation accepts from it, and not before.
"""

import logging
from collections.abc import Iterable, Sequence

from greenserve.config import Config
from greenserve.errors import ConfigError
from greenserve.kinds import Address
from greenserve.master.listener import Listener, Manner, open_listeners
from greenserve.master.owner import find_owner

log = logging.getLogger("greenserve.error")


class Listeners:
    """Those in `current` are of the newest generation; `of` tells those of any."""

    def __init__(self, found: Sequence[Listener], bind_given: bool) -> None:
        """Begin with those *found* open: passed unasked, or left to us. Without *bind_given* the unasked replace config.bind."""
        self._found = list(found)
        self._bind_given = bind_given
        self._sets: dict[int, list[Listener]] = {}
        #: Whether the files of unix sockets are somebody else's to remove.
        self.keep_files = False

    @property
    def current(self) -> list[Listener]:
        return self._sets[max(self._sets)]

    def of(self, generation: int) -> list[Listener]:
        return self._sets[generation]

    def all(self) -> list[Listener]:
        """Return every open listener, once."""
        return list(dict.fromkeys([*self._found, *(each for listeners in self._sets.values() for each in listeners)]))

    def open(self, config: Config) -> list[Listener]:
        """Return what *config* asks for, opened now where it is not open. Raises ConfigError, and has changed nothing then."""
        opened = self.all()
        wanted = self._wanted(config, opened)
        missing = [address for address in wanted if not any(each.address == address for each in opened)]
        if self._sets and any(address.kind == "fd" for address in missing):
            raise ConfigError("--bind fd:// is for the start: a descriptor cannot be handed to a server that runs")
        fresh = open_listeners(missing, manner_of(config), wanted)
        return [each for each in (*opened, *fresh) if each.address is None or each.address in wanted]

    def _wanted(self, config: Config, opened: Iterable[Listener]) -> list[Address]:
        passed = {each.socket.fileno() for each in opened if each.address is None}
        return [address for address in config.bind if address.fd not in passed] if self._bind_given or not passed else []

    def assign(self, generation: int, listeners: list[Listener], backlog: int) -> None:
        """Let the workers of *generation* have *listeners*."""
        for listener in listeners:
            # Whoever opened it may have had another backlog in mind.
            listener.socket.listen(backlog)
        self._sets[generation] = listeners

    def keep(self, generation: int) -> list[str]:
        """Close what *generation* does not have, and return the names: nobody accepts from it any more."""
        left = [each for each in self.all() if each not in self._sets[generation]]
        self._sets = {generation: self._sets[generation]}
        self._found = []
        names = [listener.name for listener in left]
        self._close(left)
        return names

    def abandon(self, generation: int) -> None:
        """Close what only *generation* would have had."""
        given_up = self._sets.pop(generation, [])
        self._close([each for each in given_up if each not in self.all()])

    def close(self) -> None:
        self._close(self.all())

    def close_in_child(self, generation: int | None = None) -> None:
        """Let go, in a process that was just forked, of all that is not *generation*'s."""
        for listener in self.all():
            if generation is None or listener not in self._sets[generation]:
                listener.socket.close()

    def _close(self, listeners: Iterable[Listener]) -> None:
        for listener in listeners:
            listener.close(keep_file=self.keep_files)


def manner_of(config: Config) -> Manner:
    # A socket is made with all rights but those that the mask takes: there is no moment in which more may connect.
    umask = config.umask if config.unix_mode is None else 0o777 & ~config.unix_mode
    return Manner(config.backlog, umask, config.reuse_port, config.ipv6_only, find_owner(config))
