"""Fava: a ledger read, searched and written to, by its pages and its API."""

import pytest
import requests

from tests.judges.conftest import DEADLINE, require

require("fava")

LEDGER = """
option "title" "Household"
2026-01-01 open Assets:Cash EUR
2026-01-01 open Expenses:Food EUR
2026-01-02 * "Market" "Äpfel"
  Expenses:Food  3.50 EUR
  Assets:Cash
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "household.beancount"
    path.write_text(LEDGER)
    return path


@pytest.fixture(scope="module")
def fava(serve, ledger):
    # Its other watcher waits in compiled code that knows nothing of greenlets, and would hold up everybody.
    return f"{serve(f'fava.application:create_app([{str(ledger)!r}], poll_watcher=True)').url}/household"


def test_first_page_is_the_income_statement(fava):
    answer = requests.get(f"{fava}/", timeout=DEADLINE)

    assert f"{fava}/income_statement/" == answer.url
    assert "Household" in answer.text


def test_query_is_answered(fava):
    query = {"query_string": "SELECT account, sum(position) WHERE account ~ 'Food' GROUP BY account"}

    answer = requests.get(f"{fava}/api/query", query, timeout=DEADLINE).json()

    assert "Expenses:Food" in str(answer)


def test_source_is_changed_only_by_who_knows_it(fava, ledger):
    known = requests.get(f"{fava}/api/source", {"filename": str(ledger)}, timeout=DEADLINE).json()["data"]
    change = {"file_path": str(ledger), "source": f"{known['source']}; checked\n", "sha256sum": known["sha256sum"]}

    first = requests.put(f"{fava}/api/source", json=change, timeout=DEADLINE)
    second = requests.put(f"{fava}/api/source", json=change, timeout=DEADLINE)

    assert (200, True) == (first.status_code, second.status_code >= 400)
    assert ledger.read_text().endswith("; checked\n")


def test_ledger_is_downloaded(fava):
    answer = requests.get(f"{fava}/download-journal/", timeout=DEADLINE)

    assert "attachment" in answer.headers["Content-Disposition"]
    assert "Äpfel" in answer.content.decode()


def test_script_that_has_not_changed_is_not_sent_again(fava):
    script = f"{fava.removesuffix('/household')}/static/app.js"
    tag = requests.get(script, timeout=DEADLINE).headers["ETag"]

    answer = requests.get(script, headers={"If-None-Match": tag}, timeout=DEADLINE)

    assert (304, b"") == (answer.status_code, answer.content)
