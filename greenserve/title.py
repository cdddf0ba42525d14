"""What ps and top call our processes: role, application, and how it goes."""

from setproctitle import setproctitle

from greenserve.config import Config

#: Seconds between two changes of one title at the least; those who look do so less often.
PACE = 1.0


class Title:
    """The title of this process, from here on."""

    def __init__(self, role: str, config: Config) -> None:
        # A name may have been bytes that are no UTF-8, and ps writes it to a terminal.
        name = "".join(character if character.isprintable() else "?" for character in config.proc_name or config.wsgi_app)
        self._begin = f"greenserve: {role} [{name}]"
        self._shown = self._begin
        self._change_at = 0.0
        setproctitle(self._begin)

    def tell(self, now: float, *facts: str) -> float | None:
        """Have it say *facts*, those that are not empty; return when it will, if it was changed within the last second."""
        text = f"{self._begin} {', '.join(filter(None, facts))}".rstrip()
        if text == self._shown:
            return None
        if now < self._change_at:
            return self._change_at
        self._shown = text
        self._change_at = now + PACE
        setproctitle(text)
        return None
