"""The form of the package that is tested: compiled code, or plain Python code."""

import sysconfig
from pathlib import Path

import pytest

from greenserve.errors import ConfigError
from greenserve.speedups import PACKAGE, check_switch, describe_form, find_sources, read_switch


def pytest_configure() -> None:
    """Refuse to test another form than the one that is asked for, or one that was compiled before an edit."""
    try:
        check_switch()
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    stale = find_stale(PACKAGE) if (PACKAGE.parent / ".build").exists() and read_switch() != "0" else []
    if stale:
        raise pytest.UsageError(f"compiled before it was edited: {', '.join(stale)}; compile again: python .build/backend.py")


def pytest_report_header() -> str:
    return f"greenserve: {describe_form()}"


def find_stale(package: Path) -> list[str]:
    """Return each source that is younger than what was compiled of it."""
    return [str(source.relative_to(package)) for source in find_sources(package) if is_stale(source)]


def is_stale(source: Path) -> bool:
    compiled = source.with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
    types = source.with_suffix(".pxd")
    edited = max(path.stat().st_mtime_ns for path in (source, types) if path.exists())
    return compiled.exists() and compiled.stat().st_mtime_ns < edited
