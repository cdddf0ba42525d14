"""The form of the package that is tested: compiled code, or plain Python code.

`make test` takes all tests through compiled code, and a second time through
plain Python those that could end differently. A test that is not named here is
one of them.
"""

import sysconfig
from pathlib import Path

import pytest

from greenserve.errors import ConfigError
from greenserve.speedups import PACKAGE, check_switch, describe_form, find_sources, read_switch

TESTS = Path(__file__).parent.parent

#: Tests that one form is enough for, with the reason. A folder stands for all that is in it.
ONE_FORM = {
    "bench": "what is measured is not what is tested",
    "config": "a configuration is read before anything is served",
    "docs": "pages say the same of both forms",
    "examples": "what they need of the server is tested in both forms",
    "hooks": "they are called by what is never compiled",
    "judges": "what other people's programs need of HTTP is tested in both forms by us",
    "master": "it forks, and serves nothing",
    "packaging": "they build both forms, and switch between them",
    "protocol/test_twins.py": "it compares the two forms",
    "support": "tools of the tests",
    "system/test_daemon.py": "it is the master's doing",
    "system/test_from_gunicorn.py": "it is the configuration's doing",
    "system/test_load_errors.py": "an application that cannot be loaded is not served",
    "system/test_no_gap.py": "the other tests of reloads, crashes and upgrades make its promise, in less time",
    "system/test_surge.py": "how many workers begin at a time is the master's doing",
    "test_account.py": "it asks the system",
    "test_architecture.py": "it reads sources",
    "test_title.py": "it asks the system",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if reason := reason_for_one_form(item.path.relative_to(TESTS)):
            item.add_marker(pytest.mark.one_form(reason))


def reason_for_one_form(path: Path) -> str | None:
    """Return why the tests in *path* need no second form, or None if they do."""
    return next((reason for name, reason in ONE_FORM.items() if path.is_relative_to(name)), None)


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
