"""Django's admin, used as a person uses it, with its static files from WhiteNoise."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.judges.conftest import DEADLINE, PROGRAMS, require, run
from tests.judges.forms import Visitor

require("django", "whitenoise")

STYLE = "/static/admin/css/base.css"


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    return tmp_path_factory.mktemp("static")


@pytest.fixture(scope="module")
def site(serve, static, tmp_path_factory):
    env = {
        "DATABASE": str(tmp_path_factory.mktemp("admin") / "database"),
        "STATIC": str(static),
        "DJANGO_SUPERUSER_PASSWORD": "secret",
        "DJANGO_SUPERUSER_USERNAME": "ann",
        "DJANGO_SUPERUSER_EMAIL": "ann@example.org",
    }
    for command in (["migrate"], ["createsuperuser"], ["collectstatic"]):
        run(sys.executable, "django_admin.py", *command, "--no-input", "-v", "0", cwd=PROGRAMS, env=env)
    return serve("django_admin", env=env).url


@pytest.fixture
def ann(site):
    with Visitor("csrfmiddlewaretoken") as visitor:
        visitor.submit(f"{site}/admin/login/?next=/admin/", username="ann", password="secret")
        yield visitor


def test_stranger_is_asked_to_log_in(site):
    answer = requests.get(f"{site}/admin/auth/group/", timeout=DEADLINE)

    assert f"{site}/admin/login/?next=/admin/auth/group/" == answer.url


def test_group_is_added_changed_and_deleted(site, ann):
    added = ann.submit(f"{site}/admin/auth/group/add/", name="Füchse", _continue="yes")
    changed = ann.submit(added.url, name="Hasen")
    deleted = ann.submit(added.url.replace("change", "delete"), post="yes")

    assert "Füchse" in added.text
    assert ("Hasen" in changed.text, "Füchse" in changed.text) == (True, False)
    assert "0 groups" in deleted.text


def test_many_people_at_once_all_get_in(site):
    def log_in(_):
        with Visitor("csrfmiddlewaretoken") as visitor:
            return visitor.submit(f"{site}/admin/login/?next=/admin/", username="ann", password="secret").url

    with ThreadPoolExecutor(10) as pool:
        assert [f"{site}/admin/"] * 20 == list(pool.map(log_in, range(20)))


def test_style_comes_to_the_byte(site, static):
    answer = requests.get(f"{site}{STYLE}", timeout=DEADLINE)

    assert (static / "admin/css/base.css").read_bytes() == answer.content
    assert 'text/css; charset="utf-8"' == answer.headers["Content-Type"]


def test_style_that_has_not_changed_is_not_sent_again(site):
    changed = requests.get(f"{site}{STYLE}", timeout=DEADLINE).headers["Last-Modified"]

    answer = requests.get(f"{site}{STYLE}", headers={"If-Modified-Since": changed}, timeout=DEADLINE)

    assert (304, b"") == (answer.status_code, answer.content)


def test_part_of_a_style_is_sent(site, static):
    answer = requests.get(f"{site}{STYLE}", headers={"Range": "bytes=100-199"}, timeout=DEADLINE)

    assert (206, (static / "admin/css/base.css").read_bytes()[100:200]) == (answer.status_code, answer.content)


def test_head_of_a_style_has_its_length(site, static):
    answer = requests.head(f"{site}{STYLE}", timeout=DEADLINE)

    assert (str((static / "admin/css/base.css").stat().st_size), b"") == (answer.headers["Content-Length"], answer.content)
