"""Is stuck for a while at /stuck, and takes longer to boot the second time than it is stuck.

The folder it runs in remembers the first.
"""

import time
from pathlib import Path

from gevent.monkey import get_original

seen = Path("seen")
if seen.exists():
    time.sleep(2)
seen.touch()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/stuck":
        get_original("time", "sleep")(1.7)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"fine"]
