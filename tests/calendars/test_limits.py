"""Each limit is one number: both doors quote it, and the action refuses the rest."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from django.apps import apps
from django.db import connection

from commontime import engine
from commontime.calendars import actions, limits, queries
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups, plans, suggestions
from commontime.core import clock
from commontime.core.errors import InvalidInput
from commontime.layout import grid, line_reader, lines
from tests import build
from tests.calendars.cast import refuses
from tests.client import caller
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db
DEADLINE = build.day(9, days=3)
HUGE = 10**12
NUMBERS = {
    "quorum": (limits.QUORUM, [-5, 0, 1001, HUGE, True, "3", 2.5]),
    "buffer_minutes": (limits.BUFFER_MINUTES, [-5, 1441, HUGE, True, "3", None]),
    "duration_minutes": (limits.DURATION_MINUTES, [-5, 0, 31 * 24 * 60 + 1, HUGE, True, "3"]),
}
BAD = [(field, value) for field, (_, values) in NUMBERS.items() for value in values]
OUTSIDE_YEARS = [datetime(1999, 12, 31, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)]


@pytest.fixture
def calendar(mina):
    return build.calendar(owner=mina, participants=[build.user("sam")])


def fresh(meeting: Meeting) -> Meeting:
    return queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)


# Quorum and buffer through both doors -------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "least", "most"), [("quorum", 1, 1000), ("buffer_minutes", 0, 1440)]
)
def test_quorum_and_buffer_had_other_limits_in_each_door(mina, calendar, field, least, most):
    meeting = build.meeting(calendar=calendar, title="Talk")
    program, browser = caller(mina), browser_of(mina)
    path, page = f"/calendars/{calendar.pk}/meetings/", f"/app/calendars/{calendar.pk}/meetings/"
    typed = {"title": "Talk", "deadline": meeting.deadline.strftime("%Y-%m-%dT%H:%M")}

    for value, is_taken in ((least - 1, False), (least, True), (most, True), (most + 1, False)):
        made = program.post(path, {"deadline": DEADLINE.isoformat(), field: value})
        changed = program.put(f"{path}{meeting.pk}/", {field: value})
        edited = browser.post(
            f"{page}{meeting.pk}/edit/",
            {**typed, "version": str(fresh(meeting).version), field: str(value)},
        )

        assert (made.status_code, changed.status_code, edited.status_code) == (
            (201, 200, 302) if is_taken else (400, 400, 422)
        ), value
        assert is_taken or (list(made.data["fields"]) == [field] and field in edited.text)


def test_a_page_for_a_new_meeting_took_a_quorum_that_the_api_refused(mina, calendar):
    page = browser_of(mina).get(f"/app/calendars/{calendar.pk}/meetings/new/").text

    field = page[page.index('name="quorum"') :].partition(">")[0]
    assert 'min="1"' in field
    assert 'max="1000"' in field


# The actions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_number_outside_its_limits_ended_in_an_error_of_the_database(
    mina, calendar, field, value
):
    meeting = build.meeting(calendar=calendar)

    with refuses(InvalidInput, field=field):
        actions.create_meeting(calendar, by=mina, deadline=DEADLINE, **{field: value})
    with refuses(InvalidInput, field=field):
        actions.edit_meeting(fresh(meeting), by=mina, **{field: value})
    with refuses(InvalidInput, field=field):
        actions.create_one_on_ones(calendar, by=mina, deadline=DEADLINE, **{field: value})


@pytest.mark.parametrize("value", [*NUMBERS["duration_minutes"][1], None])
def test_a_calendars_length_of_a_meeting_is_checked_too(mina, calendar, value):
    with refuses(InvalidInput, field="duration_minutes"):
        actions.create_calendar(by=mina, name="Choir", duration_minutes=value)
    with refuses(InvalidInput, field="duration_minutes"):
        actions.edit_calendar(calendar, by=mina, duration_minutes=value)


@pytest.mark.parametrize("moment", OUTSIDE_YEARS)
def test_times_are_in_the_years_that_are_stored(mina, calendar, moment):
    meeting = build.meeting(calendar=calendar)

    for field in ("deadline", "earliest", "latest", "final_time"):
        with refuses(InvalidInput, field=field):
            actions.edit_meeting(fresh(meeting), by=mina, **{field: moment})
    for field in ("window_start", "window_end"):
        with refuses(InvalidInput, field=field):
            actions.edit_calendar(calendar, by=mina, **{field: moment})
    with refuses(InvalidInput, field="suggested_time"):
        actions.suggest_time(fresh(meeting), by=mina, suggested_time=moment)


@pytest.mark.parametrize("value", [-1, 11, HUGE, True, "5", 2.5])
def test_a_preference_is_a_whole_number_from_0_to_10(mina, calendar, value):
    with refuses(InvalidInput, field="preference_level"):
        actions.add_window(
            calendar,
            by=mina,
            start_time=build.day(9),
            end_time=build.day(10),
            preference_level=value,
        )


@pytest.mark.parametrize(
    ("field", "value"), [("quorum", 0), ("quorum", 1001), ("duration_minutes", HUGE), ("align", 0)]
)
def test_what_is_supposed_keeps_to_the_same_limits(mina, calendar, field, value):
    meeting = build.meeting(calendar=calendar)
    group = groups.group_for(meeting, queries.people.roster_of(calendar))

    with refuses(InvalidInput, field=field):
        suggestions.suppose(
            meeting,
            group,
            suggestions.WhatIf(**{field: value}),
            by=mina,
        )


@pytest.mark.parametrize(
    ("field", "value"), [("align_minutes", 0), ("align_minutes", 1441), ("priorities", 1001)]
)
def test_what_is_asked_of_a_plan_keeps_to_its_limits(mina, calendar, field, value):
    meeting = build.meeting(calendar=calendar)
    asked = {field: {meeting.pk: value} if field == "priorities" else value}

    with refuses(InvalidInput, field=field):
        actions.make_plan(calendar, by=mina, question=plans.Question(**asked))


# Where a pure room needs the same number ----------------------------------------------------------


def test_the_grid_and_the_list_form_know_the_same_limits():
    assert timedelta(seconds=grid.LONGEST) == limits.LONGEST_WINDOW
    assert lines.WINDOW_LIMIT == limits.MOST_WINDOWS
    assert timedelta(days=line_reader.RANGE_LIMIT) == limits.LONGEST_CALENDAR
    assert len(grid.BANDS) - 1 == limits.PREFERENCE.most + 1
    preferences = np.arange(-1, limits.PREFERENCE.most + 1)
    assert engine.levels(preferences).tolist() == list(grid.BANDS)


def test_quorums_that_pages_once_took_are_lowered_so_that_their_meetings_can_be_edited(
    mina, calendar
):
    meeting = build.meeting(calendar=calendar, quorum=50_000, deadline=clock.now())
    migration = import_module("commontime.calendars.migrations.0007_quorum_within_limits")

    migration.lower_quorums(apps, SimpleNamespace(connection=connection))

    edited, *_ = actions.edit_meeting(fresh(meeting), by=mina, title="Talk")
    assert (edited.title, edited.quorum) == ("Talk", 1000)
