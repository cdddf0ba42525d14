"""A WSGI server for blocking Python code: one greenlet per connection, one hub per core."""

import os

__version__ = "0.1.0"

if os.environ.get("GREENSERVE_SPEEDUPS") == "0":
    from greenserve.speedups import import_sources_only

    import_sources_only()
