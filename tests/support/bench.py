"""The benchmark stands beside the package and is never installed: it is imported from where it is.

The checkout is not put on the path for it, since tests import the package that is installed.
"""

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "bench"


def import_bench() -> None:
    spec = importlib.util.spec_from_file_location("bench", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    sys.modules["bench"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["bench"])


import_bench()
