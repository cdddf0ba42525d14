"""Says hello, and gives callgrind a mark to end a count at.

The mark is the C function getloadavg, which nothing else calls. Each count
starts with nothing to collect, or a collection of everything would fall into
one and not into another.
"""

import gc
import os

import hello


def app(environ, start_response):
    if environ["PATH_INFO"] == "/mark":
        gc.collect()
        gc.freeze()
        os.getloadavg()
    return hello.app(environ, start_response)
