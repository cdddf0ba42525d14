"""Start a server from Python: `serve.py SERVER MODULE PORT WORKERS [CERTFILE KEYFILE]`.

Some have no command of their own, and some have settings that theirs does not know.
"""

import importlib
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

HOST = "127.0.0.1"


class Order(NamedTuple):
    module: str
    port: int
    workers: int
    certificate: tuple[str, ...]

    def load_application(self) -> Any:
        return importlib.import_module(self.module).app


def serve_bjoern(order: Order) -> None:
    import bjoern

    bjoern.listen(order.load_application(), HOST, order.port)
    for _ in range(order.workers - 1):
        if os.fork() == 0:
            break
    bjoern.run()


def serve_fastwsgi(order: Order) -> None:
    import fastwsgi

    fastwsgi.run(order.load_application(), HOST, order.port, workers=order.workers)


def serve_fastpysgi(order: Order) -> None:
    import fastpysgi

    fastpysgi.server.tcp_nodelay = 1
    fastpysgi.run(order.load_application(), HOST, order.port, workers=order.workers)


def serve_waitress(order: Order) -> None:
    from waitress import serve

    # It would write a line whenever a request has to wait for a thread.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    crowd = {"backlog": 2048, "connection_limit": 12_000, "channel_timeout": 75, "asyncore_use_poll": True}
    serve(order.load_application(), host=HOST, port=order.port, threads=int(os.environ.get("BENCH_THREADS", "4")), **crowd)


def serve_pywsgi(order: Order) -> None:
    from gevent import monkey

    monkey.patch_all()
    from gevent.pywsgi import WSGIServer

    log = open(name, "w") if (name := os.environ.get("BENCH_ACCESS_LOG")) else None  # noqa: SIM115 - open to the end
    tls = dict(zip(("certfile", "keyfile"), order.certificate, strict=False))
    WSGIServer((HOST, order.port), order.load_application(), log=log, backlog=2048, **tls).serve_forever()


SERVERS: dict[str, Callable[[Order], None]] = {
    "bjoern": serve_bjoern,
    "fastwsgi": serve_fastwsgi,
    "fastpysgi": serve_fastpysgi,
    "waitress": serve_waitress,
    "pywsgi": serve_pywsgi,
}


def main() -> None:
    server, module, port, workers, *certificate = sys.argv[1:]
    SERVERS[server](Order(module, int(port), int(workers), tuple(certificate)))


main()
