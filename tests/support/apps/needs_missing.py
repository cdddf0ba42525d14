"""Imports what is not installed."""

import module_that_nobody_wrote  # noqa: F401
