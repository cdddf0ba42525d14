"""Bytes in and out of one socket."""

import pytest

from greenserve.worker.transport import skip


@pytest.mark.parametrize(
    ("count", "rest"),
    [(0, b"abcdef"), (1, b"bcdef"), (2, b"cdef"), (3, b"def"), (5, b"f"), (6, b"")],
)
def test_what_the_kernel_took_is_skipped(count, rest):
    assert rest == b"".join(skip([b"ab", b"", b"c", b"def"], count))


def test_large_answers_are_not_copied_for_each_reader():
    block = b"x" * 1_000_000

    left = skip([b"head", block], 10)

    assert left[0].obj is block
