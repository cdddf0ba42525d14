"""The table of settings, and the values made from it."""

import dataclasses
import importlib.util
from pathlib import Path
from typing import get_type_hints

import pytest

from greenserve.config import SETTINGS, Config, workers

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"

every_setting = pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)


def test_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().workers = 3


def test_the_table_is_the_fields_of_config():
    assert set(get_type_hints(Config)) == set(SETTINGS)
    assert {name: setting.default for name, setting in SETTINGS.items()} == dataclasses.asdict(Config())


@every_setting
def test_a_default_is_of_its_kind(setting):
    """But for the application, which has none: that is told in a sentence of its own."""
    if setting.name != "wsgi_app":
        assert setting.default == setting.kind.read(setting.default)


@every_setting
def test_what_is_shown_of_a_default_can_be_written(setting):
    shown = setting.kind.show(setting.default)

    if shown != "none":
        assert setting.default == setting.kind.read(shown)


@every_setting
def test_a_setting_says_what_it_is(setting):
    assert setting.help.endswith(".")
    assert setting.kind.expects
    assert setting.kind.metavar


def test_no_flag_stands_twice():
    flags = [flag for setting in SETTINGS.values() for flag in setting.flags]

    assert sorted(set(flags)) == sorted(flags)


def test_auto_workers_become_a_number(monkeypatch):
    monkeypatch.setattr(workers, "count_usable_cpus", lambda: 3)

    assert 3 == Config(workers="auto").resolved_workers
    assert 5 == Config(workers=5).resolved_workers


def test_the_environment_is_split_at_the_first_equals_sign():
    assert {"A": "b=c"} == Config(raw_env=("A=b=c",)).env


def test_repr_shows_no_environment():
    assert "hush" not in repr(Config(raw_env=("TOKEN=hush",)))


@pytest.mark.parametrize("page", ["settings", "gunicorn"])
def test_a_reference_page_is_up_to_date(page):
    spec = importlib.util.spec_from_file_location("generate", REFERENCE / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    write = generate.PAGES[f"{page}.md"]
    assert write() == (REFERENCE / f"{page}.md").read_text(), "run python docs/reference/generate.py"
