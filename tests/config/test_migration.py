"""A file of gunicorn's as greenserve.toml."""

import pytest

from greenserve.cli import main
from greenserve.config import SETTINGS
from greenserve.gunicorn import DEFAULTS
from greenserve.kinds import quoted
from greenserve.migration import migrate
from greenserve.sources import load_config

EVERYTHING = r"""
import multiprocessing, os, ssl
from pathlib import Path
host = os.getenv("NO_SUCH_HOST", "0.0.0.0")
bind = [f"{host}:8000", "unix:/run/shop.sock"]
workers = multiprocessing.cpu_count() * 2 + 1
worker_class = "gthread"
threads = 4
worker_tmp_dir = "/dev/shm"
timeout = 2.5
accesslog = "-"
access_log_format = '%(h)s "%(r)s" \\ \x7f é 😀'
errorlog = None
raw_env = ("A=1", "B=#2")
umask = 0o007
reload = False
cert_reqs = ssl.CERT_NONE
proc_name = "shop"
def post_fork(server, worker):
    pass
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "gunicorn.conf.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def lines_of(path):
    return migrate(path).splitlines()


def test_the_toml_means_what_the_file_meant(write, tmp_path):
    path = write(EVERYTHING)
    before = load_config(["-c", path.name, "app:app"], {}, tmp_path).config

    (tmp_path / "greenserve.toml").write_text(migrate(path), encoding="utf-8")

    after = load_config(["app:app"], {}, tmp_path).config
    differing = {name for name in SETTINGS if getattr(before, name) != getattr(after, name)}
    assert {"config", "post_fork"} == differing


def test_a_literal_is_taken_over_as_it_is(write):
    assert 'bind = "unix:/run/shop.sock"' in lines_of(write("bind = 'unix:/run/shop.sock'"))


@pytest.mark.parametrize("name", ["loglevel", "loglevel: str"])
def test_a_computed_value_keeps_its_expression(write, name):
    lines = lines_of(write(f"import os\n{name} = os.getenv('NO_SUCH_LEVEL', 'debug')"))

    where = lines.index('loglevel = "debug"')
    assert (
        "# Computed by os.getenv('NO_SUCH_LEVEL', 'debug'); GREENSERVE_LOGLEVEL in the environment overrules it."
        == lines[where - 1]
    )


def test_what_is_not_ours_becomes_advice(write):
    assert "# threads = 4 is gunicorn's: each connection has a greenlet; requests_in_flight can limit them." in lines_of(
        write("threads = 4")
    )


def test_what_nobody_needs_is_left_out(write):
    text = migrate(write("worker_tmp_dir = '/dev/shm'\nthreads = 1\ncores = 4\npidfile = None"))

    assert not {"worker_tmp_dir", "threads", "cores", "pidfile"} & set(text.split())


def test_hooks_are_named_with_their_place(write):
    path = write("\ndef post_fork(server, worker): pass\ndef find(): pass")

    lines = lines_of(path)

    assert f"#   post_fork ({path} line 2)" in lines
    assert "find" not in "".join(lines)


def test_a_value_that_cannot_be_taken_over_says_why(write):
    (line,) = [line for line in lines_of(write("limit_request_line = 0")) if "cannot be taken over" in line]

    assert line.startswith("# limit_request_line = 0 cannot be taken over: it is not ")


def test_a_value_cannot_break_out_of_its_comment(write):
    text = migrate(write("statsd_host = 'a\\nworkers = 99\\r\\u2028'\nloglevel = '\\nworkers = 99'"))

    assert [] == [line for line in text.splitlines() if line.startswith("workers")]


def test_defaults_that_differ_are_offered(write):
    lines = lines_of(write("keepalive = 5"))

    offered = {line.split()[1] for line in lines[lines.index("keepalive = 5") :] if line.startswith("# ") and " = " in line}
    assert set(DEFAULTS) - {"keepalive"} == offered


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_default_that_is_said_to_differ_does(name, value):
    assert quoted(SETTINGS[name].kind.read(value)) != quoted(SETTINGS[name].default)


# The command.


def test_the_command_prints_and_ends(write, capsys):
    code = main(["migrate", str(write("workers = 3\nprint('noise')"))])

    assert 0 == code
    printed = capsys.readouterr()
    assert "\nworkers = 3\n" in printed.out
    assert "noise" not in printed.out


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--help"]])
def test_the_command_says_what_it_wants(capsys, arguments):
    assert 1 == main(["migrate", *arguments])
    assert "to serve a module called migrate, write migrate:application" in capsys.readouterr().err


def test_a_file_that_fails_is_named(write, capsys):
    assert 1 == main(["migrate", str(write("workers = 1 / 0"))])
    assert "gunicorn.conf.py line 1 raised ZeroDivisionError" in capsys.readouterr().err


def test_an_application_called_migrate_is_still_one(tmp_path):
    assert "migrate:app" == load_config(["migrate:app"], {}, tmp_path).config.wsgi_app
