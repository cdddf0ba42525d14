"""A calendar, kept by the CalDAV client that Python programs use, with Radicale and with Xandikos."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from tests.judges.conftest import require

require("caldav", "radicale", "xandikos")

import caldav  # noqa: E402

CONFIGURATION = """
[auth]
type = htpasswd
htpasswd_filename = {directory}/users
htpasswd_encryption = plain
[storage]
filesystem_folder = {directory}/collections
[logging]
level = warning
"""

MEETING = {
    "dtstart": datetime(2026, 11, 20, 10, tzinfo=timezone.utc),
    "dtend": datetime(2026, 11, 20, 11, tzinfo=timezone.utc),
    "summary": "Füße vertreten",
}


@pytest.fixture(scope="module")
def radicale(serve, tmp_path_factory):
    directory = tmp_path_factory.mktemp("radicale")
    (directory / "users").write_text("ann:secret\n")
    (directory / "config").write_text(CONFIGURATION.format(directory=directory))
    return serve("radicale:application", env={"RADICALE_CONFIG": str(directory / "config")}).url


@pytest.fixture(scope="module")
def xandikos(serve, tmp_path_factory):
    collections = tmp_path_factory.mktemp("xandikos") / "collections"
    env = {"XANDIKOSPATH": str(collections), "AUTOCREATE": "yes", "CURRENT_USER_PRINCIPAL": "/ann/"}
    return serve("xandikos.wsgi:app", env=env).url


@pytest.fixture(params=["radicale", "xandikos"])
def calendar(request):
    url = request.getfixturevalue(request.param)
    with caldav.DAVClient(url, username="ann", password="secret") as client:
        calendar = client.principal().make_calendar(name="Work")
        yield calendar
        calendar.delete()


def test_calendar_has_the_name_that_it_was_given(calendar):
    assert ["Work"] == [found.get_display_name() for found in calendar.client.principal().calendars()]


def test_event_is_found_by_its_day(calendar):
    calendar.save_event(**MEETING)

    found = calendar.search(event=True, start=datetime(2026, 11, 20), end=datetime(2026, 11, 21), expand=False)
    others = calendar.search(event=True, start=datetime(2026, 11, 21), end=datetime(2026, 11, 22), expand=False)

    assert ["Füße vertreten"] == [str(event.icalendar_component["summary"]) for event in found]
    assert [] == others


def test_changed_event_is_kept_as_changed(calendar):
    event = calendar.save_event(**MEETING)

    event.icalendar_component["summary"] = "Called off"
    event.save()

    assert "Called off" in calendar.event_by_url(event.url).data


def test_long_event_comes_back_whole(calendar):
    description = "x" * 500_000

    event = calendar.save_event(**MEETING, description=description)

    assert description == calendar.event_by_url(event.url).icalendar_component["description"]


@pytest.mark.parametrize("calendar", ["radicale"], indirect=True)
def test_events_written_at_once_are_all_kept(calendar):
    """Not with Xandikos: it calls asyncio.run(), which one thread can do only once at a time, and greenlets share one."""
    names = [f"event {number}" for number in range(20)]

    def save(name):
        with caldav.DAVClient(str(calendar.url), username="ann", password="secret") as client:
            client.calendar(url=calendar.url).save_event(**MEETING | {"summary": name})

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(save, names))

    assert sorted(names) == sorted(str(event.icalendar_component["summary"]) for event in calendar.events())


def test_deleted_event_is_gone(calendar):
    event = calendar.save_event(**MEETING)

    event.delete()

    assert [] == calendar.events()


def test_only_what_changed_is_synchronised(calendar):
    calendar.save_event(**MEETING)
    known = calendar.objects_by_sync_token()

    calendar.save_event(**MEETING | {"summary": "Second"})
    changed = calendar.objects_by_sync_token(known.sync_token, load_objects=True)

    assert ["Second"] == [str(event.icalendar_component["summary"]) for event in changed]


def test_stranger_is_turned_away(radicale):
    with (
        caldav.DAVClient(radicale, username="ann", password="wrong") as client,
        pytest.raises(caldav.lib.error.AuthorizationError),
    ):
        client.principal()
