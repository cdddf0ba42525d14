"""What is remembered of one answer must not show in the next."""

import pytest

from greenserve.errors import BadResponse
from greenserve.protocol.response import MAX_REMEMBERED, MAX_VALUE_REMEMBERED, check_answer, make_response_head, make_size_line

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


def make_head(status, *fields):
    return make_response_head(check_answer(status, list(fields)), "GET", True, True, 2, DATE)


def lines_of(made):
    return made.head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")


@pytest.mark.parametrize("other", ["b", "", "é", "c" * (MAX_VALUE_REMEMBERED + 1)])
def test_a_field_has_the_value_of_its_own_answer(other):
    for value in ["a", "a", other, other, "a"]:
        assert f"X-Value: {value}" in lines_of(make_head("200 OK", ("X-Value", value)))


def test_two_fields_of_one_name_keep_their_values_and_their_order():
    for _ in range(2):
        lines = lines_of(make_head("200 OK", ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")))

        assert ["Set-Cookie: a=1", "Set-Cookie: b=2"] == [line for line in lines if line.startswith("Set-Cookie")]


def test_a_name_is_spelled_as_it_was_given():
    lines = [line for name in ["X-Name", "x-name"] for line in lines_of(make_head("200 OK", (name, "a")))]

    assert {"X-Name: a", "x-name: a"} <= set(lines)


def test_length_is_that_of_its_own_answer():
    assert [1, 2, 2, 1] == [make_head("200 OK", ("Content-Length", str(n))).content_length for n in [1, 2, 2, 1]]


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "\N{SNOWMAN}", "a\x7f"])
def test_what_was_refused_is_refused_again(value):
    for _ in range(2):
        with pytest.raises(BadResponse, match="character"):
            check_answer("200 OK", [("X-Refused", value)])
        check_answer("200 OK", [("X-Refused", "fine")])


def test_more_names_and_statuses_than_are_remembered_are_served():
    for number in range(2 * MAX_REMEMBERED + 2):
        status = f"299 Reason {number}"

        lines = lines_of(make_head(status, (f"X-{number}", str(number)), ("Content-Length", "2")))

        assert {f"HTTP/1.1 {status}", f"X-{number}: {number}", "Content-Length: 2"} <= set(lines)


def test_each_chunk_has_its_own_size():
    sizes = [*range(1, MAX_REMEMBERED + 2), 1, 1, 0xABCDE]

    assert [b"%x\r\n" % size for size in sizes] == [make_size_line(size) for size in sizes]


class Odd(str):
    """Spells itself otherwise than its characters do, as an Enum of str does since Python 3.12."""

    def __str__(self):
        return "odd\r\nSet-Cookie: admin=1"

    def __format__(self, specification):
        return str(self)


def test_characters_that_were_checked_are_those_that_leave():
    made = make_head(Odd("200 OK"), (Odd("X-Name"), Odd("value")))

    assert ["HTTP/1.1 200 OK", "X-Name: value"] == lines_of(made)[:2]
    assert b"Set-Cookie" not in made.head


@pytest.mark.parametrize("name", ["X-Never-Heard-Of", "cONTENT-lENGTH"])
def test_none_is_no_value_of_a_name_that_is_new(name):
    with pytest.raises(BadResponse, match="not a pair of str"):
        check_answer("200 OK", [(name, None)])


def test_value_that_calls_itself_equal_to_another_is_sent_as_it_is():
    class Equal(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    check_answer("200 OK", [("Set-Cookie", "theirs")])

    answer = check_answer("200 OK", [("Set-Cookie", Equal("mine"))])

    assert b"Set-Cookie: mine\r\n" in make_response_head(answer, "GET", True, True, 0, "now").head
