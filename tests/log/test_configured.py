"""Logging as users configure it, in any of gunicorn's three ways."""

import json
import logging

import pytest

from greenserve.errors import ConfigError
from greenserve.log import (
    Access,
    LoggingSource,
    Logs,
    close_error_log,
    error_log,
    open_access_log,
    open_logs,
    reopen_error_log,
    write_error_text,
)
from greenserve.log.configured import forget_configuration

ACCESS = Access({"REQUEST_METHOD": "GET", "PATH_INFO": "/100%"}, "200 OK", [], None, 0.0, 1.5, 7)


@pytest.fixture(autouse=True)
def logging_is_put_back():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    close_error_log()
    open_logs(Logs("/dev/null"))
    close_error_log()
    forget_configuration()
    root.handlers[:] = handlers
    root.setLevel(level)


def dictionary(folder, names=("greenserve.error", "greenserve.access")):
    """Return a configuration that sends each logger to the file of its name."""
    return {
        "formatters": {"plain": {"format": "%(levelname)s|%(message)s"}},
        "handlers": {
            name: {"class": "logging.FileHandler", "filename": str(folder / name), "formatter": "plain"} for name in names
        },
        "loggers": {name: {"handlers": [name], "propagate": False} for name in names},
    }


INI = """
[loggers]
keys = root, error

[handlers]
keys = file

[formatters]
keys = plain

[logger_root]
handlers =

[logger_error]
qualname = gunicorn.error
handlers = file
propagate = 0

[handler_file]
class = FileHandler
formatter = plain
args = ("{path}",)

[formatter_plain]
format = %(levelname)s|%(message)s
"""


def test_dictionary_has_the_error_log(tmp_path):
    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))

    error_log.info("ready")
    error_log.debug("not this")

    assert "INFO|ready\n" == (tmp_path / "greenserve.error").read_text()


def test_json_file_has_it(tmp_path):
    path = tmp_path / "logging.json"
    path.write_text(json.dumps(dictionary(tmp_path)))
    open_logs(Logs("/dev/null", source=LoggingSource(None, str(path))))

    error_log.info("ready")

    assert "INFO|ready\n" == (tmp_path / "greenserve.error").read_text()


def test_file_with_gunicorn_s_names_has_it(tmp_path):
    path = tmp_path / "logging.ini"
    path.write_text(INI.replace("{path}", str(tmp_path / "error")))
    open_logs(Logs("/dev/null", source=LoggingSource(file=str(path))))

    error_log.info("ready")

    assert "INFO|ready\n" == (tmp_path / "error").read_text()


def test_logger_that_is_not_named_goes_where_the_settings_say(tmp_path):
    source = LoggingSource(dictionary(tmp_path, ["greenserve.access"]))
    open_logs(Logs(str(tmp_path / "error.log"), source=source))

    error_log.info("ready")

    assert "[INFO] ready\n" in (tmp_path / "error.log").read_text()


def test_access_lines_have_the_atoms_as_arguments(tmp_path):
    seen = []

    class Kept(logging.Handler):
        def emit(self, record):
            seen.append((record.getMessage(), record.args["s"], record.args["D"], record.args["{x}i"]))

    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))
    logging.getLogger("greenserve.access").addHandler(Kept())
    log = open_access_log(None, "%(m)s %(U)s %(s)s")

    log.record(ACCESS)

    assert [("GET /100% 200", "200", 1_500_000, "-")] == seen
    assert "INFO|GET /100% 200\n" == (tmp_path / "greenserve.access").read_text()


def test_handler_that_raises_costs_its_line_and_no_request(tmp_path):
    class Broken(logging.Handler):
        def handle(self, record):
            raise RuntimeError

    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))
    logging.getLogger("greenserve.access").addHandler(Broken())
    log = open_access_log(None, "%(m)s")

    log.record(ACCESS)

    assert 1 == log.lost


@pytest.mark.security("log injection: escape CTL/ANSI in every atom")
def test_argument_stays_on_its_line_in_any_format(tmp_path):
    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))

    error_log.info("a request from %s", "a\nforged \x1b[2J")

    assert r"INFO|a request from a\x0aforged \x1b[2J" + "\n" == (tmp_path / "greenserve.error").read_text()


def test_what_an_application_says_is_a_record(tmp_path):
    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))

    write_error_text("oh\n")
    write_error_text("\n")

    assert "ERROR|oh\n" == (tmp_path / "greenserve.error").read_text()


def test_files_that_were_moved_are_opened_anew(tmp_path):
    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))
    error_log.info("one")
    (tmp_path / "greenserve.error").rename(tmp_path / "moved")

    reopen_error_log()
    error_log.info("two")

    assert "INFO|one\n" == (tmp_path / "moved").read_text()
    assert "INFO|two\n" == (tmp_path / "greenserve.error").read_text()


@pytest.mark.parametrize(
    "source", [LoggingSource({"handlers": {"a": {"class": "nowhere.Handler"}}}), LoggingSource(None, "/none")]
)
def test_mistake_at_a_reload_leaves_the_logs_as_they_were(tmp_path, source):
    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))
    error_log.info("before")

    with pytest.raises(ConfigError, match=r"logconfig_.* cannot be applied: .*(nowhere|No such file)"):
        open_logs(Logs("/dev/null", source=source))
    error_log.info("after")

    assert "INFO|before\nINFO|after\n" == (tmp_path / "greenserve.error").read_text()


def test_configuration_that_is_taken_away_at_a_reload_is_gone(tmp_path):
    open_logs(Logs("/dev/null", source=LoggingSource(dictionary(tmp_path))))

    open_logs(Logs(str(tmp_path / "error.log")))
    error_log.info("ready")

    assert "" == (tmp_path / "greenserve.error").read_text()
    assert 1 == (tmp_path / "error.log").read_text().count("ready")
    assert open_access_log(None, "%(m)s") is None
