"""Trac: tickets, wiki pages and attachments, by way of its forms."""

import os
import sys

import pytest

from tests.judges.conftest import DEADLINE, require, run
from tests.judges.forms import Visitor

require("trac")

SIZE = 200_000


@pytest.fixture(scope="module")
def trac(serve, tmp_path_factory):
    environment = tmp_path_factory.mktemp("trac") / "environment"
    for command in ("initenv Judged sqlite:db/trac.db", "permission add anonymous TRAC_ADMIN"):
        run(sys.executable, "-m", "trac.admin.console", str(environment), *command.split())
    return serve("trac.web.main:dispatch_request", env={"TRAC_ENV": str(environment)}).url


@pytest.fixture
def visitor():
    with Visitor("__FORM_TOKEN") as visitor:
        yield visitor


def test_ticket_is_opened(trac, visitor):
    opened = visitor.submit(f"{trac}/newticket", field_summary="It is too slow", submit="Create")

    assert "It is too slow" in visitor.get(opened.url, timeout=DEADLINE).text


def test_page_is_written_and_read(trac, visitor):
    visitor.submit(f"{trac}/wiki/Judged?action=edit", action="edit", text="'''Grüße'''", version="0", save="Submit")

    assert "<strong>Grüße</strong>" in visitor.get(f"{trac}/wiki/Judged", timeout=DEADLINE).text


def test_attachment_comes_back_to_the_byte(trac, visitor):
    content = os.urandom(SIZE)

    visitor.submit(f"{trac}/attachment/wiki/WikiStart/?action=new", {"attachment": ("random.bin", content)}, action="new")

    assert content == visitor.get(f"{trac}/raw-attachment/wiki/WikiStart/random.bin", timeout=DEADLINE).content


def test_style_that_has_not_changed_is_not_sent_again(trac, visitor):
    changed = visitor.get(f"{trac}/chrome/common/css/trac.css", timeout=DEADLINE).headers["Last-Modified"]

    answer = visitor.get(f"{trac}/chrome/common/css/trac.css", headers={"If-Modified-Since": changed}, timeout=DEADLINE)

    assert (304, b"") == (answer.status_code, answer.content)
