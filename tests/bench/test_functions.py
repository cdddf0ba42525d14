"""How callgrind's dumps are read."""

from bench.functions import Cost, Function, Reader, difference, find_within, to_lines

MAIN = Function("/usr/bin/server", "main")
PARSE = Function("/lib/greenserve/head.so", "parse")
READ = Function("/lib/libc.so", "recv")

DUMP = """\
version: 1
summary: 1100
ob=(1) /usr/bin/server
fl=(1) server.c
fn=(1) main
10 5
cob=(2) /lib/greenserve/head.so
cfi=(2) head.c
cfn=(2) parse
calls=3 20
* 900
+1 5
cfn=(1)
calls=1 10
* 0
ob=(2)
fl=(2)
fn=(2)
20 600
fi=(3) head.h
+4 100
cob=(3) /lib/libc.so
cfn=(3) recv
calls=0 0
-2 200
ob=(3)
fn=(3)
0 190
totals: 1100
"""


def test_costs_are_told_apart_by_function() -> None:
    profile = Reader().read(DUMP.splitlines())

    assert Cost(10, 910, 1) == profile[MAIN]
    assert Cost(700, 900, 3) == profile[PARSE]


def test_call_that_began_before_the_dump_is_no_cost_of_the_callers_own() -> None:
    profile = Reader().read(DUMP.splitlines())

    assert Cost(190, 190, 0) == profile[READ]


def test_two_counts_are_told_as_the_cost_of_one_request() -> None:
    less, more = {MAIN: Cost(10, 20, 1)}, {MAIN: Cost(30, 60, 5), READ: Cost(8, 8, 2)}

    assert {MAIN: Cost(10, 20, 2), READ: Cost(4, 4, 1)} == difference(more, less, number=2)


def test_the_costliest_stand_first() -> None:
    profile = {READ: Cost(10, 10, 1), PARSE: Cost(30, 40, 1), MAIN: Cost(1, 41, 1)}

    lines = list(to_lines(profile, total=50, top=2))

    assert ["parse [head]", "recv [libc]"] == [line.partition("  ")[2].split("  ")[-1] for line in lines[1:]]


def test_functions_are_found_by_their_library() -> None:
    profile = {READ: Cost(10, 10, 1), PARSE: Cost(30, 40, 1)}

    assert {PARSE: Cost(30, 40, 1)} == find_within(profile, "/lib/greenserve")
