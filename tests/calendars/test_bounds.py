"""Where a meeting may lie is one rule: for the ranking, plans, pins, people's suggestions, the time
set at a deadline and one set by hand.
"""

from datetime import timedelta

import pytest

from commontime import engine
from commontime.calendars import actions, queries
from commontime.calendars.models import Meeting
from commontime.calendars.planning import bounds
from commontime.core import clock
from tests import build
from tests.client import caller
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db
OUTSIDE = "This time is outside the times set for this meeting and its calendar."
DAYS = (build.day(8), build.day(22))  # of the calendar
LATER = build.day(10, days=40)  # ten days after them


@pytest.fixture
def mina():
    return caller("mina")


@pytest.fixture
def calendar(mina):
    """Mina and Sam are free in its window, and on a day long after it."""
    sam = build.user("sam")
    calendar = build.calendar(
        owner=mina.user,
        participants=[sam],
        duration_minutes=60,
        window_start=DAYS[0],
        window_end=DAYS[1],
    )
    for person in (mina.user, sam):
        build.window(calendar, person, build.day(14), build.day(16), 2)
        build.window(calendar, person, LATER, LATER + timedelta(hours=2), 9)
    return calendar


@pytest.mark.parametrize(
    ("own", "start", "is_allowed"),
    [
        ({}, build.day(8), True),
        ({}, build.day(8) - timedelta(minutes=1), False),
        ({}, build.day(21), True),
        ({}, build.day(21) + timedelta(minutes=1), False),
        ({"earliest": build.day(12)}, build.day(11), False),
        ({"latest": build.day(12)}, build.day(11), True),
        ({"latest": build.day(12)}, build.day(11.5), False),
        ({"earliest": build.day(6)}, build.day(7), False),
        ({"latest": build.day(23, days=50)}, LATER, False),
        ({"earliest": LATER}, LATER, False),
    ],
)
def test_a_meeting_keeps_to_its_own_bounds_and_its_calendars_window(
    calendar, own, start, is_allowed
):
    meeting = build.meeting(calendar=calendar, **own)

    assert bounds.allow(meeting, start) == is_allowed


def test_a_meeting_without_bounds_may_lie_anywhere_from_now_on():
    meeting, now = build.meeting(calendar=build.calendar()), clock.now()

    assert bounds.allow(meeting, LATER)
    assert bounds.ticks(meeting, now=now) == (engine.start_tick(now), None)


def test_at_the_deadline_a_suggestion_outside_the_calendars_days_was_set_by_itself(calendar, mina):
    meeting = build.meeting(
        calendar=calendar, deadline=clock.now() - timedelta(seconds=1), auto_finalize=True
    )
    build.suggestion(meeting, mina.user, LATER)

    actions.finish_deadline(
        queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)
    )

    assert Meeting.objects.get(pk=meeting.pk).final_time == build.day(14)


def test_fixing_a_time_outside_the_calendars_days_by_hand_was_not_warned_of_by_the_api(
    calendar, mina
):
    meeting = build.meeting(calendar=calendar)
    path = f"/calendars/{calendar.pk}/meetings/{meeting.pk}/"

    strict = mina.put(path, {"final_time": LATER.isoformat(), "strict": True})

    assert (strict.status_code, strict.data["code"]) == (409, "outside_days")
    assert Meeting.objects.get(pk=meeting.pk).final_time is None

    done = mina.put(path, {"final_time": LATER.isoformat()})

    assert done.status_code == 200
    assert [each["code"] for each in done.data["warnings"]] == ["outside_days"]
    inside = mina.put(path, {"final_time": build.day(14).isoformat()})
    assert "warnings" not in inside.data


def test_fixing_a_time_outside_the_calendars_days_by_hand_was_not_asked_about_by_the_page(
    calendar, mina
):
    meeting = build.meeting(calendar=calendar)
    here = f"/app/calendars/{calendar.pk}/meetings/{meeting.pk}/"

    page = browser_of(mina.user).post(here, {"do": "fix", "final_time": LATER.isoformat()}).text

    assert OUTSIDE in page
    assert Meeting.objects.get(pk=meeting.pk).final_time is None


def test_a_time_that_somebody_suggests_outside_says_so_and_no_other_does(calendar, mina):
    meeting = build.meeting(calendar=calendar)
    path = f"/calendars/meetings/{meeting.pk}/suggestions/"

    made = mina.post(path, {"suggested_time": LATER.isoformat()})

    assert made.status_code == 201
    by_start = {row["suggested_time"]: row["reasons"] for row in mina.get(path).data}
    outside = [start for start, reasons in by_start.items() if OUTSIDE in reasons]
    assert outside == [made.data["suggested_time"]]
    assert len(by_start) > 1
    page = browser_of(mina.user).get(f"/app/calendars/{calendar.pk}/meetings/{meeting.pk}/").text
    assert page.count(OUTSIDE) == 1


def test_what_if_bounds_take_the_place_of_the_calendars(calendar, mina):
    meeting = build.meeting(calendar=calendar)
    build.suggestion(meeting, mina.user, LATER)
    path = f"/calendars/meetings/{meeting.pk}/suggestions/?latest="

    rows = mina.get(path + (LATER + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")).data

    assert rows[0]["suggested_time"] == LATER.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert not any(OUTSIDE in row["reasons"] for row in rows)


def test_a_plan_keeps_to_the_window_and_pins_nothing_outside_it(calendar, mina):
    meeting = build.meeting(calendar=calendar)
    path = f"/calendars/{calendar.pk}/plan/"

    pinned = mina.post(
        path, {"pinned": [{"meeting": str(meeting.pk), "final_time": LATER.isoformat()}]}
    )
    planned = mina.post(path, {})

    assert (pinned.status_code, list(pinned.data["fields"])) == (400, ["pinned"])
    (placed,) = planned.data["placed"]
    assert placed["final_time"] == build.day(14).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("align", ["", "?align_minutes=30"])
def test_a_meeting_that_must_end_before_its_calendar_begins_has_no_time_anywhere(
    calendar, mina, align
):
    meeting = build.meeting(calendar=calendar, latest=DAYS[0] - timedelta(hours=1))
    build.suggestion(meeting, mina.user, build.day(17))

    ranked = mina.get(f"/calendars/meetings/{meeting.pk}/suggestions/{align}")
    insights = mina.get(f"/calendars/meetings/{meeting.pk}/insights/{align}")
    plan = mina.post(f"/calendars/{calendar.pk}/plan/", {})

    assert [row["missing_required"] for row in ranked.data] == [2]
    assert (insights.status_code, insights.data["best"]) == (200, None)
    assert (plan.status_code, len(plan.data["unplaced"])) == (200, 1)
