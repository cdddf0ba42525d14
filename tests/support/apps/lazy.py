"""Takes IMPORT_SECONDS to import. `/slow` answers after SLOW_SECONDS, and what the file FAULT names goes wrong from then on.

crash: the process dies in its first request
error: every answer is an error
exit: the process ends a tenth of a second after it was imported
"""

import os
import threading
import time
from pathlib import Path

time.sleep(float(os.environ.get("IMPORT_SECONDS", 0)))

SLOW = float(os.environ.get("SLOW_SECONDS", 0))
FAULT = Path(os.environ["FAULT"]).read_text() if "FAULT" in os.environ else ""

if FAULT == "exit":
    threading.Timer(0.1, os._exit, [7]).start()


def application(environ, start_response):
    if FAULT == "crash":
        os._exit(11)
    if FAULT == "error":
        start_response("500 Broken", [("Content-Length", "0")])
        return []
    if environ["PATH_INFO"] == "/slow":
        time.sleep(SLOW)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
