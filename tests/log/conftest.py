import time

import pytest

from greenserve.log import close_error_log, open_error_log


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def error_file(tmp_path):
    path = tmp_path / "error.log"
    open_error_log(str(path), "info")
    yield path
    close_error_log()
