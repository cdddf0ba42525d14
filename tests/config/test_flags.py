"""The command line as it is written."""

import pytest

from greenserve import __version__
from greenserve.config import SETTINGS
from greenserve.errors import ConfigError
from greenserve.flags import Flag, parse_command_line
from greenserve.speedups import describe_form


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], []),
        (["app:app"], [Flag("wsgi_app", "", ["app:app"])]),
        (["-w", "4", "app:app"], [Flag("workers", "-w", ["4"]), Flag("wsgi_app", "", ["app:app"])]),
        (["app:app", "--workers=4"], [Flag("wsgi_app", "", ["app:app"]), Flag("workers", "--workers", ["4"])]),
        (["-w4", "-w", "5"], [Flag("workers", "-w", ["5"])]),
        (["-b", ":1", "--bind", ":2"], [Flag("bind", "--bind", [":1", ":2"])]),
        (["--reload"], [Flag("reload", "--reload", ["true"])]),
        (["--reload", "--no-reload"], [Flag("reload", "--no-reload", ["false"])]),
        (["--access-logfile", "-"], [Flag("accesslog", "--access-logfile", ["-"])]),
        (["--limit-request-field_size", "9"], [Flag("limit_request_field_size", "--limit-request-field_size", ["9"])]),
        (["--log-file", "x"], [Flag("errorlog", "--log-file", ["x"])]),
    ],
)
def test_flags_are_noted_under_the_spelling_that_was_used(argv, expected):
    assert expected == parse_command_line(argv).flags


@pytest.mark.parametrize("action", ["print-config", "check-config"])
def test_an_action_is_not_a_setting(action):
    assert (action, []) == (parse_command_line([f"--{action}"]).action, parse_command_line([f"--{action}"]).flags)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--worker", "4", "app:app"], "--worker: no such option; did you mean --workers?"),
        (["--worker=4"], "--worker: no such option; did you mean --workers?"),
        (["--chek-config"], "--chek-config: no such option; did you mean --check-config?"),
        (["--zzz"], "--zzz: no such option"),
        (["a:b", "c:d"], "one MODULE:CALLABLE is enough, but there is also 'c:d'"),
        (["--workers"], "-w/--workers: expected one argument"),
        (["--no--D"], "--no--D: no such option"),
    ],
)
def test_what_cannot_be_understood_is_refused(argv, expected):
    with pytest.raises(ConfigError) as caught:
        parse_command_line(argv)

    assert expected == str(caught.value)


def test_help_is_grouped_and_mentions_every_setting(capsys):
    with pytest.raises(SystemExit) as caught:
        parse_command_line(["--help"])

    text = capsys.readouterr().out
    assert 0 == caught.value.code
    assert text.startswith("usage: greenserve [options] MODULE:CALLABLE\n       greenserve migrate FILE\n")
    for setting in filter(lambda setting: setting.typed, SETTINGS.values()):
        assert f"\n{setting.group}:\n" in text
        assert setting.variable in text
        assert all(flag in text for flag in setting.flags)


def test_help_shows_defaults(capsys):
    with pytest.raises(SystemExit):
        parse_command_line(["--help"])

    words = " ".join(capsys.readouterr().out.split())
    assert "[30 seconds; GREENSERVE_GRACEFUL_TIMEOUT]" in words
    assert "%(h)s %(l)s" in words


def test_version_is_shown(capsys):
    with pytest.raises(SystemExit) as caught:
        parse_command_line(["--version"])

    assert 0 == caught.value.code
    assert capsys.readouterr().out.startswith(f"greenserve {__version__} ({describe_form()}, CPython 3.")
