"""The order of the rules in RFC 9112 section 6.3."""

import pytest

from greenserve.errors import BadRequest
from greenserve.protocol.framing import Framing, decide_framing, parse_connection
from greenserve.protocol.limits import Limits


def test_no_framing_field_means_no_content():
    assert Framing(None, False) == decide_framing({}, True, Limits())


def test_transfer_encoding_is_looked_at_before_content_length():
    """A length that is no number beside it must not hide that there are two framings."""
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "+5"}

    with pytest.raises(BadRequest, match="both"):
        decide_framing(environ, True, Limits())


def test_transfer_encoding_of_old_clients_is_refused_before_its_coding_is_read():
    with pytest.raises(BadRequest, match="which has none"):
        decide_framing({"HTTP_TRANSFER_ENCODING": "gzip"}, False, Limits())


def test_longest_length_that_is_read_as_a_number():
    length = "9" * 18

    assert Framing(int(length), False) == decide_framing({"CONTENT_LENGTH": length}, True, Limits())


@pytest.mark.parametrize(("http11", "persistent"), [(True, True), (False, False)])
def test_version_decides_when_connection_says_nothing(http11, persistent):
    assert (persistent, None) == parse_connection({}, http11)
