"""One zone under two names is one zone."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from commontime.calendars import actions, queries
from commontime.calendars.planning import plans
from commontime.core import clock
from tests import build
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.usefixtures("quick_passwords")
SAME = [
    ("Asia/Calcutta", "Asia/Kolkata"),
    ("Europe/Kiev", "Europe/Kyiv"),
    ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("Asia/Katmandu", "Asia/Kathmandu"),
    ("Asia/Saigon", "Asia/Ho_Chi_Minh"),
    ("UTC", "GMT"),
    ("UTC", "Etc/UTC"),
    ("Etc/GMT", "Etc/Zulu"),
    ("US/Eastern", "EST5EDT"),
    ("America/Los_Angeles", "PST8PDT"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_names_of_a_zone_are_one(one, other):
    assert clock.is_same_zone(one, other)
    assert clock.is_same_zone(other, one)
    assert {one, other} <= set(clock.names_of_zone(one))


@pytest.mark.parametrize(
    ("one", "other"), [("Europe/Berlin", "Europe/Paris"), ("UTC", "Europe/London"), ("EST", "UTC")]
)
def test_two_zones_are_two(one, other):
    assert not clock.is_same_zone(one, other)


def test_every_name_of_a_zone_shows_the_same_time():
    weeks = [datetime(1990, 1, 1, tzinfo=UTC) + timedelta(weeks=number) for number in range(3000)]
    for name in clock.zones():
        zone = clock.canonical_zone(name)
        if zone != name:
            assert zone in clock.zones()
            assert all(
                week.astimezone(ZoneInfo(name)).utcoffset()
                == week.astimezone(ZoneInfo(zone)).utcoffset()
                for week in weeks[::50]
            ), name


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "device"), SAME)
def test_home_knows_the_zone_of_the_device_by_every_name(stored, device):
    mina = build.user("mina", time_zone=stored)

    page = browser_of(mina).get("/app/").content.decode()

    (names,) = re.findall(r'data-stored="([^"]*)"', page)
    assert device in names.split()


@pytest.mark.django_db
@pytest.mark.parametrize(("own", "of_the_calendar"), SAME)
def test_a_page_does_not_tell_apart_two_names_of_its_zone(own, of_the_calendar):
    mina = build.user("mina", time_zone=own)
    calendar = build.calendar(owner=mina, time_zone=of_the_calendar)
    meeting = build.meeting(calendar=calendar)
    browser, path = browser_of(mina), f"/app/calendars/{calendar.pk}/"

    for page in ("", f"meetings/{meeting.pk}/", f"meetings/{meeting.pk}/edit/", "plan/"):
        answer = browser.get(path + page)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "this calendar uses" not in text.lower()
        assert f"Times in {own}" in text


@pytest.mark.django_db
def test_a_plan_is_not_stale_because_its_zone_has_another_name(mina):
    calendar = build.calendar(owner=mina, time_zone="Asia/Kolkata")
    build.meeting(calendar=calendar)
    question = plans.Question(align_minutes=15)
    before = plans.problem_of(calendar, question, now=clock.now()).basis

    actions.edit_calendar(calendar, by=mina, time_zone="Asia/Calcutta")
    calendar = queries.calendars.calendar_for(mina, calendar.pk)

    assert plans.problem_of(calendar, question, now=clock.now()).basis == before
