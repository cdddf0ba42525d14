"""The polls, a Django project, used by a program that follows its forms."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from tests.examples.conftest import EXAMPLES
from tests.support.server import RunningServer

POLLS = EXAMPLES / "django_polls"


@pytest.fixture(scope="module")
def polls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The project, migrated, with four workers."""
    env = {"POLLS_DATABASE": str(tmp_path_factory.mktemp("polls") / "polls.sqlite3")}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=POLLS, env=env, check=True, timeout=60)
    with RunningServer("--workers", "4", "project.wsgi", cwd=POLLS, env=env) as server:
        yield server


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def submit(client: requests.Session, url: str, **fields: str) -> requests.Response:
    """Fill in the form at *url* and send it, with the token that the form holds."""
    form = client.get(url, timeout=30).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token is not None
    return client.post(url, data=fields | {"csrfmiddlewaretoken": token[1]}, timeout=30)


def test_vote_is_counted(polls: RunningServer, client: requests.Session) -> None:
    asked = submit(client, f"{polls.url}/ask/", text="Tea or coffee?", choices="Tea\nCoffee")
    choices = re.findall(r'name="choice" value="(\d+)"', asked.text)

    results = submit(client, asked.url, choice=choices[1])

    assert f"{asked.url}results/" == results.url
    assert ["0 votes", "1 vote"] == re.findall(r"\d+ votes?", results.text)


def test_vote_without_the_token_of_the_form_is_refused(polls: RunningServer, client: requests.Session) -> None:
    assert 403 == client.post(f"{polls.url}/1/", data={"choice": "1"}, timeout=30).status_code


def test_vote_for_nothing_is_asked_again(polls: RunningServer, client: requests.Session) -> None:
    answer = submit(client, f"{polls.url}/1/", choice="none")

    assert 400 == answer.status_code
    assert "Choose one of these." in answer.text


def test_unknown_question_is_not_found(polls: RunningServer, client: requests.Session) -> None:
    assert 404 == client.get(f"{polls.url}/999/", timeout=30).status_code
