"""sqlite-web: a database looked at, changed and brought in and out of, by way of forms."""

import sqlite3
from contextlib import closing

import pytest
import requests

from tests.judges.conftest import DEADLINE, require

require("sqlite_web")

ROWS = 5000


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("database") / "fruit.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE fruit (name TEXT, price INTEGER)")
        connection.execute("INSERT INTO fruit VALUES ('apple', 3)")
        connection.commit()
    return path


@pytest.fixture(scope="module")
def page(serve, database):
    return serve("database_page:app", env={"DATABASE": str(database)}).url


def count(database, condition):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT count(*) FROM fruit WHERE {condition}").fetchone()[0]


def test_query_is_answered(page):
    answer = requests.post(f"{page}/fruit/query/", data={"sql": "SELECT name || ' tree' FROM fruit"}, timeout=DEADLINE)

    assert "apple tree" in answer.text


def test_thousands_of_rows_are_brought_in_from_a_file(page, database):
    rows = "name,price\n" + "".join(f"plum,{number}\n" for number in range(ROWS))

    requests.post(f"{page}/fruit/import/", files={"file": ("plums.csv", rows)}, timeout=DEADLINE).raise_for_status()

    assert ROWS == count(database, "name = 'plum'")


def test_table_is_brought_out_as_a_file(page):
    query = {"sql": "SELECT name FROM fruit WHERE name = 'apple'", "export_json": "yes"}

    answer = requests.post(f"{page}/fruit/query/", data=query, timeout=DEADLINE)

    assert [{"name": "apple"}] == answer.json()
