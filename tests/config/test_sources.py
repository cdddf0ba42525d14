"""Where values come from, which wins, and how each source names its mistakes."""

import sys

import pytest

from greenserve.errors import ConfigError
from greenserve.kinds import Address
from greenserve.sources import describe_config, load_config


@pytest.fixture
def directory(tmp_path):
    return tmp_path


@pytest.fixture
def load(directory):
    """Load as a server started in `directory` does, with an application so that nothing else is missing."""

    def load(*argv, app="app:app", **environ):
        return load_config([app, *argv] if app else argv, environ, directory)

    return load


@pytest.fixture
def refusal(load):
    """Load, and return the sentence it is refused with."""

    def refusal(*argv, **environ):
        with pytest.raises(ConfigError) as caught:
            load(*argv, **environ)
        return str(caught.value)

    return refusal


def write(directory, name, text):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# Which source wins. Each layer gives the setting its own number.

LAYERS = [
    ("default", None),
    ("variable WEB_CONCURRENCY", {"WEB_CONCURRENCY": "2"}),
    ("pyproject.toml line 2", ("pyproject.toml", "[tool.greenserve]\nworkers = 3\n")),
    ("greenserve.toml line 1", ("greenserve.toml", "workers = 4\n")),
    ("greenserve.conf.py line 1", ("greenserve.conf.py", "workers = 5\n")),
    ("variable GREENSERVE_WORKERS", {"GREENSERVE_WORKERS": "6"}),
    ("variable GREENSERVE_CMD_ARGS, flag --workers", {"GREENSERVE_CMD_ARGS": "--workers 7"}),
    ("flag -w", ["-w", "8"]),
]


@pytest.mark.parametrize("height", range(len(LAYERS)), ids=[origin for origin, _ in LAYERS])
def test_a_source_overrules_all_below_it(directory, load, height):
    argv, environ = [], {}
    for _, layer in LAYERS[: height + 1]:
        if isinstance(layer, tuple):
            write(directory, *layer)
        elif isinstance(layer, dict):
            environ |= layer
        else:
            argv = layer or []

    loaded = load(*argv, **environ)

    assert (height + 1, LAYERS[height][0]) == (loaded.config.workers, loaded.origins["workers"])


@pytest.mark.parametrize("height", range(1, len(LAYERS) - 1))
def test_adjacent_sources_alone(directory, load, height):
    """The same without the layers beneath, which must not be what decides."""
    argv, environ = [], {}
    for _, layer in LAYERS[height : height + 2]:
        if isinstance(layer, tuple):
            write(directory, *layer)
        elif isinstance(layer, dict):
            environ |= layer
        else:
            argv = layer

    assert height + 2 == load(*argv, **environ).config.workers


def test_the_application_may_stand_in_any_source(directory, load):
    write(directory, "greenserve.toml", 'wsgi_app = "shop:app"')

    assert "shop:app" == load(app=None).config.wsgi_app
    assert "other:app" == load(app=None, GREENSERVE_WSGI_APP="other:app").config.wsgi_app
    assert "third:app" == load(app="third:app").config.wsgi_app


def test_a_list_is_replaced_and_not_joined(directory, load):
    write(directory, "greenserve.toml", 'bind = ["127.0.0.1:1", "127.0.0.1:2"]')

    loaded = load("-b", "127.0.0.1:3", "-b", "127.0.0.1:4")

    assert ["127.0.0.1:3", "127.0.0.1:4"] == [str(address) for address in loaded.config.bind]


# Platforms.


def test_port_binds_every_interface(load):
    loaded = load(PORT="5000")

    assert (Address("tcp", "0.0.0.0", 5000),) == loaded.config.bind
    assert "variable PORT" == loaded.origins["bind"]


def test_anything_explicit_overrules_a_platform(load):
    assert 80 == load("-b", ":80", PORT="5000").config.bind[0].port
    assert 3 == load(WEB_CONCURRENCY="9", GREENSERVE_WORKERS="3").config.workers


def test_an_empty_variable_counts_as_not_set(load):
    loaded = load(PORT="", WEB_CONCURRENCY="", GREENSERVE_WORKERS="", GREENSERVE_CMD_ARGS="")

    assert loaded.is_default("bind")
    assert loaded.is_default("workers")


def test_variables_of_a_kubernetes_service_are_not_ours(load):
    """A service named greenserve puts these into every pod of its namespace."""
    load(
        GREENSERVE_SERVICE_HOST="10.0.0.1",
        GREENSERVE_SERVICE_PORT="80",
        GREENSERVE_PORT="tcp://10.0.0.1:80",
        GREENSERVE_PORT_80_TCP_ADDR="10.0.0.1",
    )


def test_speedups_are_no_setting(load):
    load(GREENSERVE_SPEEDUPS="0")


# Files.


@pytest.mark.parametrize("name", ["conf/live.py", "file:conf/live.py"])
def test_a_chosen_file_stands_in_place_of_the_usual_one(directory, load, name):
    write(directory, "greenserve.conf.py", "workers = 2")
    write(directory, "conf/live.py", "timeout = 5")

    config = load("-c", name).config

    assert (1, 5.0) == (config.workers, config.timeout)


def test_a_chosen_file_may_be_toml(directory, load):
    write(directory, "live.toml", "workers = 3")

    assert 3 == load("-c", "live.toml").config.workers
    assert 3 == load(GREENSERVE_CONFIG="live.toml").config.workers
    assert 3 == load(GREENSERVE_CMD_ARGS="-c live.toml").config.workers


def test_a_chosen_file_may_be_a_module(directory, load):
    write(directory, "deploy/__init__.py", "")
    write(directory, "deploy/common.py", "base = 2")
    write(directory, "deploy/live.py", "from .common import base as _base\nworkers = _base * 2")

    loaded = load("-c", "python:deploy.live")

    assert 4 == loaded.config.workers
    assert "python:deploy.live line 2" == loaded.origins["workers"]


def test_a_python_file_is_executed_anew_with_what_it_imports(directory, load):
    write(directory, "greenserve.conf.py", "from common_of_conf import workers")
    write(directory, "common_of_conf.py", "workers = 2")
    load()
    write(directory, "common_of_conf.py", "workers = 33")

    assert 33 == load().config.workers
    assert "common_of_conf" not in sys.modules
    assert str(directory) not in sys.path


def test_a_python_file_may_hold_names_of_its_own(directory, load):
    text = "import os\n_cores = 3\nCORES = 4\ndef half(n): return n // 2\nclass x: pass\nworkers = half(CORES)"
    write(directory, "greenserve.conf.py", text)

    assert 2 == load().config.workers


def test_files_are_looked_for_where_chdir_leads(directory, load):
    write(directory, "site/greenserve.toml", "workers = 3")

    config = load("--chdir", "site").config

    assert (3, str(directory / "site")) == (config.workers, config.chdir)
    assert 3 == load(GREENSERVE_CHDIR="site").config.workers


def test_relative_paths_start_in_chdir(directory, load):
    (directory / "site").mkdir()
    write(directory, "greenserve.toml", 'chdir = "site"\npidfile = "run/pid"\nbind = "unix:a.sock"\nerrorlog = "-"')

    config = load().config

    assert str(directory / "site/run/pid") == config.pidfile
    assert (Address("unix", path=str(directory / "site/a.sock")),) == config.bind
    assert "-" == config.errorlog


def test_chdir_is_where_the_command_was_started(directory, load):
    assert str(directory) == load().config.chdir


# Refusals: one sentence each, with the place, the value, what was expected and the nearest name.


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "greenserve.toml",
            '# ours\n\nworkers = "many"',
            'greenserve.toml line 3: workers = "many" is not a whole number from 1 up, or "auto"',
        ),
        ("greenserve.toml", "wrokers = 3", "greenserve.toml line 1: wrokers is no setting; did you mean workers?"),
        (
            "greenserve.toml",
            "graceful-timeout = 3",
            "greenserve.toml line 1: graceful-timeout is no setting; did you mean graceful_timeout?",
        ),
        ("greenserve.toml", "reload = 1", "greenserve.toml line 1: reload = 1 is not true or false"),
        (
            "greenserve.toml",
            "[workers]\nx = 1",
            'greenserve.toml line 1: workers = {"x": 1} is not a whole number from 1 up, or "auto"',
        ),
        ("greenserve.toml", 'config = "x.py"', "greenserve.toml line 1: config names a file, and so cannot stand in one"),
        ("greenserve.toml", "workers = 1\nbind = oops", "greenserve.toml line 2 is not TOML: invalid value"),
        ("greenserve.toml", 'bind = "', "greenserve.toml line 1 is not TOML: "),
        ("greenserve.toml", "bind = " + 5000 * "[", "greenserve.toml cannot be read: it is nested too deeply"),
        ("greenserve.toml", "workers = " + 5000 * "9", "greenserve.toml cannot be read: it has a number that is too long"),
        (
            "pyproject.toml",
            "[tool.other]\nworkers = 9\n[tool.greenserve]\nworkers = 0",
            "pyproject.toml line 4: workers = 0 is not",
        ),
        ("pyproject.toml", "tool.greenserve.workers = 0", "pyproject.toml line 1: workers = 0 is not"),
        ("pyproject.toml", "[tool]\ngreenserve = 3", "pyproject.toml: tool.greenserve is not a table"),
        (
            "greenserve.conf.py",
            "import os\nworkers = 'many'",
            'greenserve.conf.py line 2: workers = "many" is not a whole number from 1 up, or "auto"',
        ),
        ("greenserve.conf.py", "\nwrokers = 3", "greenserve.conf.py line 2: wrokers is no setting; did you mean workers?"),
        (
            "greenserve.conf.py",
            "x = 1\n\n1 / 0",
            "greenserve.conf.py line 3 raised ZeroDivisionError: division by zero",
        ),
        ("greenserve.conf.py", "raise OSError('a\\nb')", "greenserve.conf.py line 1 raised OSError: a b"),
        ("greenserve.conf.py", "\nworkers = (", "greenserve.conf.py line 2 raised SyntaxError: "),
        ("greenserve.conf.py", "import sys\nsys.exit(3)", "greenserve.conf.py line 2 raised SystemExit: 3"),
        ("greenserve.conf.py", "raise BaseException('x')", "greenserve.conf.py line 1 raised BaseException: x"),
        ("greenserve.conf.py", "import no_such_thing", "greenserve.conf.py line 1 raised ModuleNotFoundError: No module named"),
    ],
)
def test_a_mistake_in_a_file_is_refused(directory, refusal, name, text, expected):
    write(directory, name, text)

    said = refusal()

    assert said.startswith(expected)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"GREENSERVE_WORKERS": "0"}, 'GREENSERVE_WORKERS=0 is not a whole number from 1 up, or "auto"'),
        ({"GREENSERVE_WROKERS": "3"}, "GREENSERVE_WROKERS: no such variable; did you mean GREENSERVE_WORKERS?"),
        ({"GREENSERVE_PORT": "8000"}, "GREENSERVE_PORT: no such variable"),
        ({"GREENSERVE_CMD_ARGS": "--workers 0"}, "GREENSERVE_CMD_ARGS: --workers 0 is not a whole number from 1 up"),
        ({"GREENSERVE_CMD_ARGS": "--worker 2"}, "GREENSERVE_CMD_ARGS: --worker: no such option; did you mean --workers?"),
        ({"GREENSERVE_CMD_ARGS": "'x"}, "GREENSERVE_CMD_ARGS cannot be split like a command line: no closing quotation"),
        ({"GREENSERVE_CHDIR": "nowhere"}, "GREENSERVE_CHDIR=nowhere is not a directory"),
        ({"GREENSERVE_CONFIG": "nowhere.py"}, "nowhere.py cannot be read: No such file or directory"),
        ({"GREENSERVE_CONFIG": "python:no.where"}, "python:no.where cannot be found: "),
        ({"GREENSERVE_CONFIG": "python:nowhere"}, "python:nowhere cannot be found: there is no module 'nowhere'"),
        ({"GREENSERVE_RAW_ENV": "MY KEY=hush"}, "GREENSERVE_RAW_ENV=MY KEY=*** is not NAME=VALUE"),
        ({"PORT": "abc"}, "PORT=abc is not a whole number from 0 to 65535"),
        ({"WEB_CONCURRENCY": "x"}, 'WEB_CONCURRENCY=x is not a whole number from 1 up, or "auto"'),
        ({"GREENSERVE_LOGLEVEL": "a\x1b[2J"}, r'GREENSERVE_LOGLEVEL="a\u001b[2J" is not one of'),
    ],
)
def test_a_mistake_in_the_environment_is_refused(refusal, environ, expected):
    said = refusal(**environ)

    assert said.startswith(expected)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--workers", "many"], '--workers many is not a whole number from 1 up, or "auto"'),
        (["-b", ":1", "-b", "nowhere"], '-b :1, nowhere has "nowhere", which is not HOST:PORT, [IPv6]:PORT'),
        (["--chdir", "nowhere"], "--chdir nowhere is not a directory"),
        (["--pid", "x" * 200 + "\0"], '--pid "xxx'),
        (["--log-level", ""], '--log-level "" is not one of debug, info, warning, error, critical'),
    ],
)
def test_a_mistake_in_a_flag_is_refused(refusal, argv, expected):
    said = refusal(*argv)

    assert said.startswith(expected)
    assert len(said) < 250


def test_a_bad_value_is_refused_even_where_it_is_overruled(refusal):
    assert refusal("--workers", "2", GREENSERVE_WORKERS="x").startswith("GREENSERVE_WORKERS=x is not")


def test_a_file_that_is_not_text_is_refused(directory, refusal):
    (directory / "greenserve.toml").write_bytes(b"\xff\xfe")

    assert "greenserve.toml is not UTF-8 text" == refusal()


@pytest.mark.parametrize("statement", ["from gevent import pool", "import gevent; gevent.sleep(0)", "import uses_gevent"])
def test_a_python_file_cannot_load_gevent(directory, refusal, monkeypatch, statement):
    for name in [name for name in sys.modules if name.partition(".")[0] == "gevent"]:
        monkeypatch.delitem(sys.modules, name)
    write(directory, "uses_gevent.py", "import gevent")
    write(directory, "greenserve.conf.py", f"\n{statement}")

    said = refusal()

    assert said.startswith("greenserve.conf.py line 2 imports gevent, which the master must not load")
    assert "gevent" not in sys.modules


def test_a_missing_application_is_told_with_an_example(directory):
    with pytest.raises(ConfigError, match="`greenserve app:app`"):
        load_config([], {}, directory)


# What is in force.


def test_print_config_shows_values_and_origins(load):
    lines = describe_config(load("--workers", "4", "--umask", "22", PORT="80")).splitlines()

    shown = [" ".join(line.split()) for line in lines]
    assert "wsgi_app = app:app (argument)" in shown
    assert "workers = 4 (flag --workers)" in shown
    assert "bind = 0.0.0.0:80 (variable PORT)" in shown
    assert "umask = 0o022 (flag --umask)" in shown
    assert "limit_request_content = 1g (default)" in shown
    assert "accesslog = none (default)" in shown
    assert 1 == len({line.index("=") for line in lines})


def test_print_config_shows_what_auto_came_to(load):
    loaded = load("--workers", "auto")

    assert f"= auto ({loaded.config.resolved_workers})" in describe_config(loaded)


@pytest.mark.security("secrets masked in dumps (gevent's SecureEnviron idea)")
def test_print_config_masks_secrets(load):
    text = describe_config(load("-e", "SECRET_KEY=hush", "-e", "DATABASE_URL=postgresql://u:hush@db/x", "-e", "MODE=live"))

    assert "hush" not in text
    assert "MODE=live" in text


def test_print_config_needs_no_application(load):
    loaded = load("--print-config", app=None)

    assert "print-config" == loaded.action
    assert "wsgi_app" in describe_config(loaded)


def test_an_action_may_stand_in_command_args(load):
    assert "check-config" == load(GREENSERVE_CMD_ARGS="--check-config").action
    assert load().action is None
