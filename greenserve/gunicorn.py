"""gunicorn's settings, and what becomes of each here.

A setting that greenserve has under the same name works as it stands; `SAME`
has what may surprise there. The others are told from `FOREIGN`: it is one
table for files, flags, `greenserve migrate` and the page about moving here.
Knows none of our settings: who uses it looks first whether we have the name.
"""

from enum import Enum
from typing import NamedTuple


class Treatment(Enum):
    """What becomes of a setting that we do not have."""

    #: Nothing is lost by it, so nothing is said.
    NEEDLESS = "not needed"
    #: It is passed over, and a line of the log says what to do instead.
    PASSED_OVER = "passed over"
    #: The server would be another than was asked for, and does not start.
    REFUSED = "refused"


class Foreign(NamedTuple):
    """A setting of gunicorn's. `advice` says why it is not here, or what to use instead."""

    default: object
    flags: str
    treatment: Treatment
    advice: str

    @property
    def switch(self) -> bool:
        """Whether its flags have no value."""
        return isinstance(self.default, bool)


#: What differs in settings that both have.
SAME = {
    "access_log_format": "",
    "accesslog": "",
    "backlog": "",
    "bind": "",
    "ca_certs": "",
    "capture_output": "",
    "casefold_http_method": "",
    "cert_reqs": "none, optional and required are words for 0, 1 and 2.",
    "certfile": "",
    "chdir": "",
    "child_exit": "",
    "ciphers": "For TLS 1.2 only.",
    "config": "./gunicorn.conf.py is not looked for: name it with `-c gunicorn.conf.py`.",
    "daemon": "The command ends when all workers are ready, and its exit code says whether.",
    "disable_redirect_access_to_syslog": "",
    "errorlog": "",
    "forwarded_allow_ips": "REMOTE_ADDR becomes the client's, too; from anybody else the fields are removed.",
    "forwarder_headers": "",
    "graceful_timeout": "Kept by the master, so a stuck worker cannot outlive it.",
    "group": "",
    "header_map": "",
    "keepalive": "90 seconds, not 2: load balancers keep their connections for 60.",
    "keyfile": "",
    "limit_request_field_size": "",
    "limit_request_fields": "",
    "limit_request_line": "8190 bytes, not 4094; there is always a limit.",
    "logconfig": "",
    "logconfig_dict": "",
    "logconfig_json": "",
    "loglevel": "",
    "max_requests": "The replacement is ready before a worker leaves.",
    "max_requests_jitter": "",
    "nworkers_changed": "",
    "on_exit": "",
    "on_reload": "",
    "on_starting": "",
    "permit_obsolete_folding": "Fields that frame or route stay refused.",
    "permit_unconventional_http_method": "",
    "permit_unconventional_http_version": "",
    "pidfile": "",
    "post_fork": "Called with the rights of `user` and `group`, not root's.",
    "post_request": "",
    "post_worker_init": "",
    "pre_exec": "",
    "pre_fork": "",
    "pre_request": "",
    "preload_app": "Loaded as the user of the workers, by the first of them; the master loads nothing.",
    "proc_name": "",
    "proxy_allow_ips": "",
    "proxy_protocol": "",
    "pythonpath": "",
    "raw_env": "",
    "reload": "Needs watchfiles: `pip install 'greenserve[reload]'`.",
    "reload_extra_files": "",
    "reuse_port": "The workers share one listener without it, and balance themselves.",
    "root_path": "",
    "secure_scheme_headers": "",
    "sendfile": "The variable SENDFILE is not read.",
    "ssl_context": "",
    "strip_header_spaces": "Fields that frame or route stay refused.",
    "syslog": "",
    "syslog_addr": "",
    "syslog_facility": "",
    "syslog_prefix": "",
    "timeout": "Counts only while the hub is stuck; a request that waits may take as long as it likes.",
    "tmp_upload_dir": "",
    "umask": "The caller's, not 0.",
    "user": "",
    "when_ready": "Called when all workers serve, not before they are forked.",
    "worker_abort": "",
    "worker_connections": "10,000, not 1000.",
    "worker_exit": "",
    "worker_int": "",
    "workers": "`auto` is one for each CPU; hubs need no spare workers, so `cpu_count() * 2 + 1` is more than helps.",
    "wsgi_app": "The argument overrules the file.",
}

#: gunicorn's defaults where ours are others.
DEFAULTS = {"keepalive": 2, "limit_request_line": 4094, "umask": 0, "worker_connections": 1000}

NEEDLESS, PASSED_OVER, REFUSED = Treatment

_STATSD = "there is no statsd client: send numbers of your own from a post_request hook"
_ASGI = "greenserve serves WSGI: keep an ASGI server such as uvicorn for ASGI applications"
_HTTP2 = "greenserve speaks HTTP/1.1: let a proxy in front of it speak HTTP/2"
_PASTE = "name the application as MODULE:CALLABLE, where CALLABLE may be what paste.deploy.loadapp() returns"
_DIRTY = "there are no dirty workers: give such work to a task queue such as Celery or RQ"
_CONTROL = "there is no control socket: use signals"
_TLS = "TLS needs no such switch"

#: What greenserve has not, by name. A row stays here when we get the setting: it is passed by then.
FOREIGN = {
    "asgi_disconnect_grace_period": Foreign(3, "--asgi-disconnect-grace-period", PASSED_OVER, _ASGI),
    "asgi_lifespan": Foreign("auto", "--asgi-lifespan", PASSED_OVER, _ASGI),
    "asgi_loop": Foreign("auto", "--asgi-loop", PASSED_OVER, _ASGI),
    "check_config": Foreign(False, "", PASSED_OVER, "give it as the flag --check-config"),
    "control_socket": Foreign("~/.gunicorn/gunicorn.ctl", "--control-socket", PASSED_OVER, _CONTROL),
    "control_socket_disable": Foreign(False, "--no-control-socket", NEEDLESS, _CONTROL),
    "control_socket_mode": Foreign(0o600, "--control-socket-mode", PASSED_OVER, _CONTROL),
    "default_proc_name": Foreign("gunicorn", "", NEEDLESS, "set proc_name"),
    "dirty_apps": Foreign([], "--dirty-app", REFUSED, _DIRTY),
    "dirty_graceful_timeout": Foreign(30, "--dirty-graceful-timeout", PASSED_OVER, _DIRTY),
    "dirty_post_fork": Foreign(None, "", PASSED_OVER, _DIRTY),
    "dirty_threads": Foreign(1, "--dirty-threads", PASSED_OVER, _DIRTY),
    "dirty_timeout": Foreign(300, "--dirty-timeout", PASSED_OVER, _DIRTY),
    "dirty_worker_exit": Foreign(None, "", PASSED_OVER, _DIRTY),
    "dirty_worker_init": Foreign(None, "", PASSED_OVER, _DIRTY),
    "dirty_workers": Foreign(0, "--dirty-workers", PASSED_OVER, _DIRTY),
    "do_handshake_on_connect": Foreign(False, "--do-handshake-on-connect", NEEDLESS, _TLS),
    "dogstatsd_tags": Foreign("", "--dogstatsd-tags", PASSED_OVER, _STATSD),
    "enable_backlog_metric": Foreign(False, "--enable-backlog-metric", PASSED_OVER, _STATSD),
    "enable_stdio_inheritance": Foreign(False, "-R --enable-stdio-inheritance", NEEDLESS, "it is always so"),
    "http2_cleartext": Foreign("off", "--http2-cleartext", PASSED_OVER, _HTTP2),
    "http2_initial_window_size": Foreign(65535, "--http2-initial-window-size", PASSED_OVER, _HTTP2),
    "http2_max_concurrent_streams": Foreign(100, "--http2-max-concurrent-streams", PASSED_OVER, _HTTP2),
    "http2_max_frame_size": Foreign(16384, "--http2-max-frame-size", PASSED_OVER, _HTTP2),
    "http2_max_header_list_size": Foreign(65536, "--http2-max-header-list-size", PASSED_OVER, _HTTP2),
    "http_parser": Foreign("auto", "--http-parser", NEEDLESS, "there is one parser"),
    "http_protocols": Foreign("h1", "--http-protocols", PASSED_OVER, _HTTP2),
    "initgroups": Foreign(False, "--initgroups", NEEDLESS, "it is always done"),
    "logger_class": Foreign(
        "gunicorn.glogging.Logger", "--logger-class", PASSED_OVER, "set logconfig_dict, and access_log_format for the lines"
    ),
    "on_dirty_starting": Foreign(None, "", PASSED_OVER, _DIRTY),
    "paste": Foreign(None, "--paste --paster", REFUSED, _PASTE),
    "print_config": Foreign(False, "", PASSED_OVER, "give it as the flag --print-config"),
    "protocol": Foreign("http", "--protocol", REFUSED, "greenserve speaks HTTP: let the proxy in front use that, not uwsgi"),
    "raw_paste_global_conf": Foreign([], "--paste-global", REFUSED, _PASTE),
    "reload_engine": Foreign("auto", "--reload-engine", NEEDLESS, "changes are noticed by watchfiles"),
    "spew": Foreign(False, "--spew", PASSED_OVER, "use a debugger or a profiler"),
    "ssl_version": Foreign(2, "--ssl-version", PASSED_OVER, "set ssl_minimum_version, or an ssl_context hook"),
    "statsd_host": Foreign(None, "--statsd-host", PASSED_OVER, _STATSD),
    "statsd_prefix": Foreign("", "--statsd-prefix", PASSED_OVER, _STATSD),
    "suppress_ragged_eofs": Foreign(True, "--suppress-ragged-eofs", NEEDLESS, _TLS),
    "threads": Foreign(1, "--threads", PASSED_OVER, "each connection has a greenlet; requests_in_flight can limit them"),
    "uwsgi_allow_ips": Foreign("127.0.0.1,::1", "--uwsgi-allow-from", NEEDLESS, "greenserve speaks HTTP, not uwsgi"),
    "websocket_max_message_size": Foreign(
        16777216, "--websocket-max-message-size", PASSED_OVER, "the application's WebSocket library has that limit"
    ),
    "worker_class": Foreign("gevent", "-k --worker-class", PASSED_OVER, "every worker is a gevent hub"),
    "worker_tmp_dir": Foreign(None, "--worker-tmp-dir", NEEDLESS, "signs of life are given in shared memory"),
}

#: How people spell the one worker class that we are.
_GEVENT = ("gevent", "gevent_wsgi", "gevent_pywsgi", "ggevent.GeventWorker", "ggevent.GeventPyWSGIWorker")

#: How the names of worker classes for ASGI look.
_ASGI_WORKERS = ("asgi", "uvicorn", "hypercorn")


def judge(name: str, value: object) -> tuple[Treatment, str]:
    """Return what becomes of a setting of gunicorn's with this *value*, and the advice; unset or default is always fine."""
    foreign = FOREIGN[name]
    if name == "worker_class":
        return judge_worker_class(value)
    if not value or value == foreign.default or value == str(foreign.default):
        return NEEDLESS, foreign.advice
    return foreign.treatment, foreign.advice


def judge_worker_class(value: object) -> tuple[Treatment, str]:
    spelled = f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) else str(value)
    if spelled.endswith(_GEVENT):
        return NEEDLESS, FOREIGN["worker_class"].advice
    if any(word in spelled.lower() for word in _ASGI_WORKERS):
        return REFUSED, _ASGI
    return PASSED_OVER, FOREIGN["worker_class"].advice


def is_gunicorns(file: str) -> bool:
    """Tell whether a configuration file was written for gunicorn: its name says so, or that of its folder."""
    folder, _, name = file.lower().rpartition("/")
    return "gunicorn" in name or ("gunicorn" in folder.rpartition("/")[2] and "greenserve" not in name)
