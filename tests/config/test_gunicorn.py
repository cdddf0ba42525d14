"""Files and flags that were written for gunicorn."""

import pytest

from greenserve.config import SETTINGS
from greenserve.errors import ConfigError
from greenserve.gunicorn import FOREIGN, SAME, Treatment, judge
from greenserve.kinds import Address
from greenserve.sources import load_config


@pytest.fixture
def load(tmp_path):
    """Load a configuration file that is gunicorn's, with these flags and variables."""

    def load(text="", *argv, name="gunicorn.conf.py", **environ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return load_config(["-c", name, *argv, "app:app"], environ, tmp_path)

    return load


# The table.


def test_each_of_gunicorns_settings_has_its_row():
    """gunicorn 27 has 120."""
    assert 120 == len(SAME) + len(FOREIGN) == len({*SAME, *FOREIGN})


def test_what_is_said_to_be_the_same_exists():
    assert set() == set(SAME) - set(SETTINGS)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_default_is_never_worth_a_word(name):
    assert Treatment.NEEDLESS is judge(name, FOREIGN[name].default)[0]
    assert Treatment.NEEDLESS is judge(name, str(FOREIGN[name].default))[0]


# Worker classes.


@pytest.mark.parametrize("name", ["gevent", "gunicorn.workers.ggevent.GeventWorker", "egg:gunicorn#gevent", "gevent_pywsgi"])
def test_the_gevent_worker_is_what_we_are(load, name):
    assert [] == load(f"worker_class = {name!r}").notes


@pytest.mark.parametrize("name", ["sync", "gthread", "eventlet", "tornado", "shop.workers.Patient"])
def test_another_worker_class_is_passed_over(load, name):
    assert [f"gunicorn.conf.py line 1: worker_class is gunicorn's, and passed over: {FOREIGN['worker_class'].advice}"] == load(
        f"worker_class = {name!r}"
    ).notes


@pytest.mark.parametrize("name", ["uvicorn.workers.UvicornWorker", "asgi"])
def test_a_worker_class_for_asgi_is_refused(load, name):
    with pytest.raises(ConfigError, match=r"line 1: worker_class is gunicorn's, and not to be had here: greenserve serves WSGI"):
        load(f"worker_class = {name!r}")


def test_a_worker_class_may_be_a_class(load):
    (note,) = load("class Patient: pass\nworker_class = Patient").notes

    assert "line 2: worker_class is gunicorn's" in note


# What else a file may have.


def test_a_setting_that_is_not_ours_is_passed_over_with_advice(load):
    loaded = load("threads = 4\nspew = True\nworkers = 3")

    assert [
        "gunicorn.conf.py line 1: threads is gunicorn's, and passed over: each connection has a greenlet; "
        "requests_in_flight can limit them",
        "gunicorn.conf.py line 2: spew is gunicorn's, and passed over: use a debugger or a profiler",
    ] == loaded.notes
    assert 3 == loaded.config.workers


def test_a_setting_without_which_the_server_were_another_is_refused(load):
    with pytest.raises(ConfigError, match=r"gunicorn.conf.py line 1: paste is gunicorn's, and not to be had here: name the app"):
        load("paste = 'shop.ini'")


def test_names_that_are_no_setting_are_ignored(load):
    """As gunicorn does; its files are full of them."""
    assert [] == load("cores = 4\nworker = 5\nhost, port = 'localhost', 80\ndef find(): pass").notes


def test_none_leaves_a_setting_unset(load):
    assert load("sendfile = None\nwsgi_app = None\nworkers = None").is_default("workers")


def test_a_value_that_is_wrong_is_refused_there_too(load):
    with pytest.raises(ConfigError, match=r"gunicorn.conf.py line 1: workers = \"many\" is not"):
        load("workers = 'many'")


@pytest.mark.parametrize("name", ["gunicorn_conf.py", "my-gunicorn.py", "Gunicorn.py", "gunicorn/prod.py", "etc/gunicorn.d/a.py"])
def test_a_file_is_gunicorns_if_its_name_or_that_of_its_folder_says_so(load, name):
    assert [] == load("cores = 4", name=name).notes


@pytest.mark.parametrize("name", ["server.py", "gunicorn/greenserve.conf.py", "gunicorn/etc/server.py"])
def test_another_file_is_ours(load, name):
    with pytest.raises(ConfigError, match="cores is no setting"):
        load("cores = 4", name=name)


def test_in_another_file_gunicorns_settings_are_mistakes_with_advice(load):
    with pytest.raises(ConfigError, match=r"^server.py line 1: threads is a setting of gunicorn's: each connection has a green"):
        load("threads = 4", name="server.py")


# Flags and variables.


def test_flags_of_gunicorn_are_understood(load):
    flags = ["-k", "gthread", "--threads=4", "--worker-tmp-dir", "/dev/shm", "--spew", "--timeout", "60", "-w", "2"]

    loaded = load("", *flags)

    assert ["-k", "--threads", "--spew"] == [note.partition(" is gunicorn's, and passed over: ")[0] for note in loaded.notes]
    assert (60.0, 2) == (loaded.config.timeout, loaded.config.workers)


def test_flags_are_refused_like_settings(load):
    with pytest.raises(ConfigError, match=r"^--protocol is gunicorn's, and not to be had here"):
        load("", "--protocol", "uwsgi")


def test_flags_in_a_variable_are_named_with_it(load):
    (note,) = load(GREENSERVE_CMD_ARGS="--threads 4").notes

    assert note.startswith("GREENSERVE_CMD_ARGS: --threads is gunicorn's")


def test_gunicorns_own_variable_is_not_read(load):
    loaded = load(GUNICORN_CMD_ARGS="--workers 7")

    assert ["GUNICORN_CMD_ARGS is set, and not read: GREENSERVE_CMD_ARGS is"] == loaded.notes
    assert loaded.is_default("workers")


def test_a_file_of_gunicorns_is_not_looked_for(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("workers = 7")

    assert load_config(["app:app"], {}, tmp_path).is_default("workers")


# Shapes that real files have.


def test_workers_counted_by_a_rule_of_thumb(load):
    text = "import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1"

    assert load(text).config.workers > 2


def test_values_from_the_environment(load, monkeypatch):
    monkeypatch.setenv("APP_PORT", "8123")
    text = """
import os
host = os.getenv("APP_HOST", "0.0.0.0")
bind = f"{host}:{os.environ['APP_PORT']}"
use_loglevel = os.getenv("LOG_LEVEL", "INFO")
loglevel = use_loglevel
"""

    config = load(text).config

    assert ((Address("tcp", "0.0.0.0", 8123),), "info") == (config.bind, config.loglevel)


def test_a_container_image_that_logs_to_its_output(load):
    text = """
import json, multiprocessing, os
workers_per_core = float(os.getenv("WORKERS_PER_CORE", "1"))
web_concurrency = max(int(workers_per_core * multiprocessing.cpu_count()), 2)
workers = web_concurrency
worker_class = "gevent"
worker_tmp_dir = "/dev/shm"
accesslog_var = os.getenv("ACCESS_LOG", "-")
accesslog = accesslog_var or None
errorlog = "-"
graceful_timeout = int(os.getenv("GRACEFUL_TIMEOUT", "120"))
timeout = 120
keepalive = 5
log_data = {"workers": workers}
print(json.dumps(log_data))
"""

    loaded = load(text)

    assert [] == loaded.notes
    assert ("-", "-", 120.0, 5.0) == (
        loaded.config.accesslog,
        loaded.config.errorlog,
        loaded.config.graceful_timeout,
        loaded.config.keepalive,
    )


def test_trust_in_every_proxy(load):
    """Whether or not there is such a setting, the file is taken."""
    assert [] == [note for note in load("forwarded_allow_ips = '*'").notes if "forwarded_allow_ips" not in note]


def test_hooks_with_gunicorns_arguments(load):
    text = """
from random import seed
def post_fork(server, worker):
    server.log.info("Worker spawned (pid: %s)", worker.pid)
def child_exit(server, worker):
    from prometheus_client import multiprocess
    multiprocess.mark_process_dead(worker.pid)
def post_worker_init(worker): seed()
"""

    config = load(text).config

    assert ["post_fork", "child_exit", "post_worker_init"] == [
        hook.__name__ for hook in (config.post_fork, config.child_exit, config.post_worker_init)
    ]
