"""Round times are those of the calendar's clock: in zones that are hours and a part ahead of UTC,
and where the clock changes by a part.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from commontime import engine
from commontime.calendars.models import Calendar
from commontime.calendars.planning.round_times import round_times
from tests import build
from tests.client import caller

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LORD_HOWE = "Australia/Lord_Howe"  # its clocks change by half an hour
ZONES = ["Asia/Kolkata", "Asia/Kathmandu", LORD_HOWE, "Europe/Berlin", "Africa/Casablanca", "UTC"]


def is_round(zone: str, moment: datetime, step: int) -> bool:
    """Whether the wall clock shows a multiple of so many minutes."""
    local = moment.astimezone(ZoneInfo(zone))
    return (local.hour * 60 + local.minute) % step == 0


def next_round(zone: str, moment: datetime, step: int) -> str:
    while not is_round(zone, moment, step):
        moment += MINUTE
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def next_change(zone: str) -> datetime:
    """The next moment, from tomorrow on, at which its clocks change."""
    moment, ahead = build.day(days=1), ZoneInfo(zone).utcoffset
    while ahead(moment.astimezone(ZoneInfo(zone))) == ahead(
        (moment + MINUTE).astimezone(ZoneInfo(zone))
    ):
        moment += MINUTE
    return moment + MINUTE


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", [15, 30, 60, 120, 1440])
def test_marks_are_where_the_wall_clock_is_round(zone, step):
    begin, end = datetime(2027, 1, 15, tzinfo=UTC), datetime(2027, 11, 15, tzinfo=UTC)
    first, last = engine.start_tick(begin), engine.start_tick(end)

    marks = round_times(Calendar(time_zone=zone), step, first, last)

    # All these zones are a multiple of 15 minutes ahead.
    wanted = [
        tick for tick in range(first, last + 1, 15) if is_round(zone, engine.moment_of(tick), step)
    ]
    assert marks.within(first, last, len(wanted)).tolist() == wanted


def test_without_a_wish_any_minute_will_do():
    assert round_times(Calendar(time_zone="Asia/Kolkata"), None, 0, 1) is None


def test_what_lies_centuries_away_has_round_times_too():
    marks = round_times(Calendar(time_zone="Asia/Kolkata"), 60, -(10**9), 10**10)

    assert engine.moment_of(int(marks.at_or_after(0))).minute == 30


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", LORD_HOWE])
@pytest.mark.parametrize("step", [15, 30, 60])
def test_starts_are_round_on_the_calendars_clock_before_and_after_it_changes(zone, step):
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(
        owner=mina.user, participants=[sam.user], time_zone=zone, duration_minutes=60
    )
    change = next_change(zone) if zone == LORD_HOWE else build.day(12)
    begins = [change - 4 * HOUR + 7 * MINUTE, change + 7 * MINUTE]
    for begin in begins:
        for person in (mina, sam):
            build.window(calendar, person.user, begin, begin + 3 * HOUR, 5)
    meetings = [
        build.meeting(
            calendar=calendar, duration_minutes=60, earliest=begin, latest=begin + 3 * HOUR
        )
        for begin in begins
    ]
    wanted = [next_round(zone, begin, step) for begin in begins]

    plan = mina.post(f"/calendars/{calendar.pk}/plan/", {"align_minutes": step}).json()

    assert [placed["final_time"] for placed in plan["placed"]] == wanted
    for meeting, start in zip(meetings, wanted, strict=True):
        path = f"/calendars/meetings/{meeting.pk}/"
        assert (
            mina.get(f"{path}suggestions/?align_minutes={step}").json()[0]["suggested_time"]
            == start
        )
        assert (
            mina.get(f"{path}insights/?align_minutes={step}").json()["best"]["suggested_time"]
            == start
        )
