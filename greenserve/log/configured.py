"""Logging as users configure it: by a dictionary or a file, for `logging.config`.

The loggers are greenserve.error and greenserve.access, and gunicorn.error and
gunicorn.access mean the same. One that the configuration names gets what it
says and nothing else; one that it does not name goes where the settings send it.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from greenserve.errors import ConfigError

ERROR = "error"
ACCESS = "access"


@dataclass(frozen=True)
class LoggingSource:
    """At most one is used: the dictionary, else the JSON file, else the file in the format of `logging.config`."""

    dictionary: Mapping[str, Any] | None = None
    json: str | None = None
    file: str | None = None

    def __bool__(self) -> bool:
        return bool(self.dictionary or self.json or self.file)

    @property
    def setting(self) -> str:
        return (
            "logconfig_dict" if self.dictionary else f"logconfig_json {self.json!r}" if self.json else f"logconfig {self.file!r}"
        )


#: The logs that the configuration in force names.
_named: set[str] = set()


def is_configured(log: str) -> bool:
    return log in _named


def our_logger(log: str) -> logging.Logger:
    return logging.getLogger(f"greenserve.{log}")


def gunicorns_logger(log: str) -> logging.Logger:
    return logging.getLogger(f"gunicorn.{log}")


def configure_logging(source: LoggingSource) -> None:
    """Configure the process's logging anew. Raises ConfigError, and has perhaps done half of it."""
    forget_configuration()
    if not source:
        return
    try:
        names = apply(source)
    # Wide, because it runs whatever the configuration names.
    except Exception as error:
        raise ConfigError(f"{source.setting} cannot be applied: {reason_of(error)}") from error
    for log in (ERROR, ACCESS):
        if f"greenserve.{log}" in names:
            _named.add(log)
        elif f"gunicorn.{log}" in names:
            _named.add(log)
            adopt(log)


def forget_configuration() -> None:
    """Take from the loggers what an earlier configuration gave them."""
    for log in _named:
        for logger in (our_logger(log), gunicorns_logger(log)):
            for handler in logger.handlers:
                handler.close()
            logger.handlers[:] = []
            logger.filters[:] = []
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
    _named.clear()


def apply(source: LoggingSource) -> set[str]:
    """Return the names of the loggers that are configured."""
    if source.dictionary:
        return apply_dictionary(source.dictionary)
    if source.json:
        with open(source.json, encoding="utf-8") as file:
            return apply_dictionary(json.load(file))
    assert source.file is not None
    return apply_file(source.file)


def apply_dictionary(settings: Mapping[str, Any]) -> set[str]:
    from logging.config import dictConfig

    dictConfig({"version": 1, "disable_existing_loggers": False, **settings})
    return set(settings.get("loggers", ()))


def apply_file(path: str) -> set[str]:
    from configparser import ConfigParser
    from logging.config import fileConfig

    parser = ConfigParser()
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    fileConfig(parser, disable_existing_loggers=False)
    return {section["qualname"] for section in parser.values() if "qualname" in section}


def adopt(log: str) -> None:
    ours, theirs = our_logger(log), gunicorns_logger(log)
    ours.handlers[:] = theirs.handlers
    ours.filters[:] = theirs.filters
    ours.setLevel(theirs.level)
    ours.propagate = theirs.propagate


def reason_of(error: BaseException) -> str:
    """Return what went wrong in the end: logging says only which part of the configuration it was in."""
    reasons = [str(error)]
    while error.__cause__ is not None:
        error = error.__cause__
        reasons.append(str(error))
    return ": ".join(" ".join(reason.split()) for reason in reasons if reason) or type(error).__name__


def reopen_configured() -> None:
    """Open the files of the configured handlers anew, for whoever moved them away. Raises OSError."""
    for handler in files_of(_named):
        handler.acquire()
        try:
            old: TextIO | None = handler.stream
            handler.stream = handler._open()
            if old is not None:
                old.close()
        finally:
            handler.release()


def files_of(logs: Iterable[str]) -> Iterator[logging.FileHandler]:
    handlers = {id(handler): handler for log in logs for handler in our_logger(log).handlers}
    # One that is opened with the first line has no stream until then.
    return (each for each in handlers.values() if isinstance(each, logging.FileHandler) and each.stream is not None)
