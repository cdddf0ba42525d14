"""GREENSERVE_SPEEDUPS decides what runs: compiled code, if it is there."""

import sysconfig

import pytest

from tests.packaging.conftest import Project
from tests.support.server import run_greenserve

SHOW_FORM = "from greenserve.speedups import describe_form; print(describe_form())"
SHOW_FILE = "import greenserve.counter; print(greenserve.counter.__file__)"
SHOW_TWIN = "import greenserve._switches"
CHECK = "from greenserve.speedups import check_switch; check_switch()"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


@pytest.mark.parametrize("environ", [{}, {"GREENSERVE_SPEEDUPS": "1"}], ids=["unset", "1"])
def test_compiled_code_is_taken_when_it_is_there(compiled_project: Project, environ: dict[str, str]) -> None:
    assert "compiled code\n" == compiled_project.python(SHOW_FORM, **environ).stdout
    assert f"{compiled_project.root}/greenserve/counter{SUFFIX}\n" == compiled_project.python(SHOW_FILE, **environ).stdout


def test_0_passes_compiled_code_by(compiled_project: Project) -> None:
    assert "plain Python code\n" == compiled_project.python(SHOW_FORM, GREENSERVE_SPEEDUPS="0").stdout
    shown = compiled_project.python(SHOW_FILE, GREENSERVE_SPEEDUPS="0").stdout
    assert f"{compiled_project.root}/greenserve/counter.py\n" == shown


def test_0_hides_a_module_that_is_there_only_compiled(compiled_project: Project) -> None:
    done = compiled_project.python(SHOW_TWIN, GREENSERVE_SPEEDUPS="0")

    assert done.stderr.endswith("ModuleNotFoundError: No module named 'greenserve._switches'\n")


def test_0_leaves_modules_of_others_alone(compiled_project: Project) -> None:
    """greenlet has an extension module, too."""
    assert 0 == compiled_project.python("import greenlet._greenlet, greenserve", GREENSERVE_SPEEDUPS="0").returncode
    assert 0 == compiled_project.python("import greenserve, greenlet._greenlet", GREENSERVE_SPEEDUPS="0").returncode


def test_1_is_content_with_compiled_code(compiled_project: Project) -> None:
    assert "" == compiled_project.python(CHECK, GREENSERVE_SPEEDUPS="1").stderr


def test_1_refuses_plain_code(project: Project) -> None:
    done = project.python(CHECK, GREENSERVE_SPEEDUPS="1")

    assert done.stderr.endswith(
        "GREENSERVE_SPEEDUPS=1 asks for compiled code, and this greenserve is plain Python code "
        "(plain: _switches.pyx, counter.py): install it where there is a C compiler, or unset GREENSERVE_SPEEDUPS\n"
    )


def test_1_refuses_code_that_is_compiled_in_part(project: Project) -> None:
    project.compile_in_place()
    (project.root / "greenserve" / f"counter{SUFFIX}").unlink()

    assert "partly compiled code\n" == project.python(SHOW_FORM).stdout
    assert "this greenserve is partly compiled code (plain: counter.py):" in project.python(CHECK, GREENSERVE_SPEEDUPS="1").stderr


def test_1_refuses_a_greenserve_with_nothing_to_compile(plain_project: Project) -> None:
    done = plain_project.python(CHECK, GREENSERVE_SPEEDUPS="1")

    assert "this greenserve is plain Python code: install it" in done.stderr


def test_command_refuses_another_value() -> None:
    done = run_greenserve("--version", env={"GREENSERVE_SPEEDUPS": "yes"})

    assert 1 == done.returncode
    assert done.stderr == (
        "greenserve: GREENSERVE_SPEEDUPS is 'yes': 0 is plain Python code, 1 insists on compiled code, "
        "unset takes what there is\n"
    )
