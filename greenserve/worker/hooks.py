"""The hooks around each request. Only a worker that has one of them comes here."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from greenserve.config import Config
from greenserve.hooks import HookRequest, HookResponse, HookWorker, count_parameters, try_hook
from greenserve.wsgi.exchange import Application, Exchange

Run = Callable[[Exchange, Application], None]


def find_run(config: Config, worker: HookWorker) -> Run:
    """Return what runs an exchange: the exchange itself, if no hook wants to know of it."""
    if config.pre_request is None and config.post_request is None:
        return Exchange.run
    return RequestHooks(config, worker).run


class RequestHooks:
    def __init__(self, config: Config, worker: HookWorker) -> None:
        self._config = config
        self._worker = worker
        self._before = config.pre_request
        self._count = count_parameters(config.post_request, 4) if config.post_request is not None else 0

    def run(self, exchange: Exchange, application: Application) -> None:
        """Run *exchange* between the hooks; both are in the context of the request."""
        request = HookRequest(exchange.environ)
        exchange.run(application if self._before is None else partial(self._begin, request, application))
        response = HookResponse(exchange.status, exchange.fields, exchange.sent)
        arguments = (self._worker, request, exchange.environ, response)
        try_hook(self._config, "post_request", *arguments[: self._count])

    def _begin(
        self, request: HookRequest, application: Application, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Be the application: what pre_request raises is answered, counted and logged like what that raises."""
        assert self._before is not None
        self._before(self._worker, request)
        request.hand_over()
        return application(environ, start_response)
