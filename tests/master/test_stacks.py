"""The line to repair, found in what faulthandler writes."""

import json

import pytest

import greenserve.wsgi.exchange
from greenserve.master.stacks import Place, find_place, find_thread

POOL = """Thread 0x00007f0001 (most recent call first):
  File "/srv/shop/pool.py", line 3 in work"""

SERVING = f"""Current thread 0x00007f0002 [main] (most recent call first):
  File "{json.__file__}", line 299 in loads
  File "/srv/shop/views.py", line 12 in basket
  File "/srv/shop/wsgi.py", line 4 in application
  File "{greenserve.wsgi.exchange.__file__}", line 100 in run"""


@pytest.mark.parametrize("stacks", [f"{POOL}\n\n{SERVING}\n", f"{SERVING}\n\n{POOL}\n"])
def test_the_line_of_the_application_is_found_in_the_thread_that_serves(stacks):
    assert SERVING == find_thread(stacks)
    assert Place("/srv/shop/views.py", 12, "basket") == find_place(stacks)


def test_a_library_is_named_where_no_application_is():
    stacks = f'Current thread 0x1 (most recent call first):\n  File "{json.__file__}", line 299 in loads\n'

    assert Place(json.__file__, 299, "loads") == find_place(stacks)


@pytest.mark.parametrize(
    "stacks", ["", "Fatal Python error\n", "Current thread 0x1 (most recent call first):\n  <no Python frame>\n"]
)
def test_nothing_is_found_where_nothing_is(stacks):
    assert find_place(stacks) is None
