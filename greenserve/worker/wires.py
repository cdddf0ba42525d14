"""Which kind of wire there is: the compiled one where it can be had."""

from typing import Any

try:
    import greenserve.worker._wire as best
except ImportError:
    import greenserve.worker.wire as best

#: The module `wire`, or its twin.
wires: Any = best
