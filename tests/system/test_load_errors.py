"""What cannot be served says so once, shortly, and with the right exit code."""

import os
import re

import pytest

from tests.support.server import APPS, bind_socket, run_greenserve

CONFIG_ERROR, BOOT_ERROR, LOAD_ERROR = 1, 3, 4

#: Beside the application's own traceback.
MAX_LINES = 15

UNLOADABLE = {
    "no_such_module": "no_such_module",
    "hello:aplication": "application",
    "hello:not_callable": "not_callable",
    "hello:": "hello:",
    "factory:create_app(1 + undefined)": "create_app",
    "factory:forgets_to_return()": "forgets_to_return",
    "factory:raises()": "the factory broke",
    "raises_at_import": "no database at db.example",
    "exits_at_import": "usage: exits_at_import FILE",
    "needs_missing": "module_that_nobody_wrote",
}

UNWELL = """
def application(environ, start_response):
    start_response("503 Unwell" if environ["PATH_INFO"] == "/healthz" else "200 OK", [])
    return []
"""

TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n)+\S.*\n?", re.MULTILINE)


def serve(target, *options, workers=4, cwd=APPS):
    return run_greenserve("--workers", str(workers), "--bind", "127.0.0.1:0", *options, target, cwd=cwd)


def without_what_changes(log):
    """Return *log* without dates, pids, ports, durations, and the ordinary lines of a start."""
    lines = [line for line in log.splitlines() if "[INFO]" not in line]
    return re.sub(r"^\[[^]]+\] \[\d+\]|pid \d+|worker \d+|:\d{4,5}\b|[\d.]+ s\b", "~", "\n".join(lines), flags=re.MULTILINE)


@pytest.mark.parametrize(("target", "words"), UNLOADABLE.items(), ids=UNLOADABLE)
def test_application_that_cannot_be_loaded_ends_the_server_with_one_screen(target, words):
    ended = serve(target)

    assert LOAD_ERROR == ended.returncode, ended.stderr
    assert words in ended.stderr
    assert 1 == ended.stderr.count("cannot be loaded"), ended.stderr
    assert len(TRACEBACK.findall(ended.stderr)) <= 1
    assert len(TRACEBACK.sub("", ended.stderr).splitlines()) <= MAX_LINES, ended.stderr


def test_syntax_error_shows_the_line(tmp_path):
    (tmp_path / "typo.py").write_text("def application(environ, start_response)\n    return []\n")

    ended = serve("typo", cwd=tmp_path)

    assert LOAD_ERROR == ended.returncode
    assert re.search(r'typo\.py", line 1\n +def application', ended.stderr)
    assert "importlib" not in ended.stderr


def test_traceback_is_the_applications_alone():
    ended = serve("raises_at_import")

    files = re.findall(r'File "([^"]+)"', ended.stderr)
    assert [str(APPS / "raises_at_import.py")] * 3 == files


@pytest.mark.parametrize("target", ["raises_at_import", "hello:aplication"])
def test_load_error_is_the_same_each_time_and_for_any_number_of_workers(target):
    screens = [without_what_changes(serve(target, workers=workers).stderr) for workers in (1, 4, 4)]

    assert [screens[0]] * 3 == screens


def test_misspelt_name_is_suggested():
    assert re.search(r"[Dd]id you mean.*application", serve("hello:aplication").stderr)


def test_application_that_ends_its_process_at_import_ends_the_server():
    """A worker that dies without a word cannot say whose fault it was."""
    ended = serve("dies_at_import")

    assert BOOT_ERROR == ended.returncode
    assert "exited with code 7 while it loaded the application" in ended.stderr


@pytest.mark.parametrize("action", [(), ("--check-config",)], ids=["start", "check"])
@pytest.mark.parametrize("log", ["--access-logfile", "--error-logfile"])
def test_log_that_cannot_be_opened_is_a_configuration_error(log, action):
    ended = serve("hello", log, "/dev/null/a.log", *action)

    assert CONFIG_ERROR == ended.returncode
    assert 1 == ended.stderr.count("/dev/null/a.log' cannot be opened for writing (Not a directory)"), ended.stderr


def test_check_config_makes_no_log(tmp_path):
    """It may be another user's than the server is to be."""
    assert 0 == run_greenserve("--check-config", "--access-logfile", str(tmp_path / "log"), "hello").returncode
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "many", "hello"], "many"),
        (["--worker", "4", "hello"], "--workers"),
        (["--bind", "nowhere:port", "hello"], "nowhere:port"),
        ([], "greenserve app:app"),
        (["-c", "missing.toml", "hello"], "missing.toml"),
        (["--keyfile", "a.key", "hello"], "keyfile is set, but there is no certfile"),
        (["--keyfile", "a.key", "hello", "--check-config"], "keyfile is set, but there is no certfile"),
    ],
)
def test_configuration_error_is_one_sentence(arguments, words):
    ended = run_greenserve(*arguments)

    assert CONFIG_ERROR == ended.returncode
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) <= 3, ended.stderr


def test_port_in_use_is_a_configuration_error():
    with bind_socket() as taken:
        address = "{}:{}".format(*taken.getsockname())

        ended = run_greenserve("--bind", address, "hello")

    assert CONFIG_ERROR == ended.returncode
    assert f"{address} is already in use" in ended.stderr


@pytest.mark.parametrize(
    ("target", "code"), [("hello", 0), ("factory:create_app('hi', shout=True)", 0), ("hello:aplication", LOAD_ERROR)]
)
def test_check_config_loads_the_application_and_serves_nothing(target, code):
    assert code == run_greenserve("--check-config", target).returncode


def test_an_application_that_fails_its_warmup_does_not_start(tmp_path):
    (tmp_path / "unwell.py").write_text(UNWELL)

    ended = serve("unwell", "--warmup", "/", "--warmup", "/healthz", cwd=tmp_path)

    assert LOAD_ERROR == ended.returncode
    assert 1 == ended.stderr.count("--warmup /healthz was answered with 503 Unwell, so no worker serves the application\n")
