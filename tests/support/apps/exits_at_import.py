"""Ends the process while it is imported, as a script without a `__main__` guard does."""

import sys

sys.exit("usage: exits_at_import FILE")
