"""A person with a browser, as far as forms go."""

import re
from typing import Any

import requests

from tests.judges.conftest import DEADLINE


class Visitor(requests.Session):
    """Fills in forms, with the token against forgery that the form *token* holds."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = re.compile(rf'name="{token}"[^>]*value="([^"]+)"')
        self._name = token

    def submit(self, url: str, files: Any = None, **fields: str) -> requests.Response:
        """Read the form at *url*, and send it back with *fields* and *files*."""
        form = self.get(url, timeout=DEADLINE)
        form.raise_for_status()
        token = self._token.search(form.text)
        assert token is not None, form.text
        answer = self.post(form.url, data={self._name: token[1], **fields}, files=files, timeout=DEADLINE)
        answer.raise_for_status()
        return answer
