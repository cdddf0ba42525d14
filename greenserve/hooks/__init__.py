"""Functions of a configuration file that the server calls, with gunicorn's names and arguments.

What kind of setting a hook is, what it is given, and how it is called. When
each is called is the business of whoever calls it: master/prompter.py for
those of the master, worker/ for the others.
"""

from greenserve.hooks.arguments import HookRequest, HookResponse, HookServer, HookWorker
from greenserve.hooks.call import call_hook, count_parameters, describe_hook, try_hook
from greenserve.hooks.kind import Hook

__all__ = [
    "Hook",
    "HookRequest",
    "HookResponse",
    "HookServer",
    "HookWorker",
    "call_hook",
    "count_parameters",
    "describe_hook",
    "try_hook",
]
