"""Best times know of the calendar's meetings that already have a time: nobody is offered for two at
once, nor asked for that time.
"""

from datetime import timedelta

import pytest

from commontime.calendars import actions, queries
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups, insights, outcomes, suggestions
from commontime.core import clock
from tests import build

pytestmark = pytest.mark.django_db
NINE, TEN, ELEVEN, NOON = (build.day(hour) for hour in (9, 10, 11, 12))


@pytest.fixture
def rosa():
    return build.user("rosa")


@pytest.fixture
def calendar(mina, rosa):
    """Both can from nine to noon, and best at ten."""
    calendar = build.calendar(owner=mina, participants=[rosa])
    for person in (mina, rosa):
        for start, preference in ((NINE, 4), (TEN, 9), (ELEVEN, 5)):
            build.window(calendar, person, start, start + timedelta(hours=1), preference)
    return calendar


def group_of(meeting: Meeting, asker, *, with_names: bool = True) -> groups.Group:
    roster, scheduled = queries.people.roster_and_scheduled_of(meeting.calendar)
    group = groups.group_for(meeting, roster)
    return groups.free_for(meeting, group, scheduled, with_names=with_names)


def starts(meeting: Meeting, asker, *, with_names: bool = True) -> list:
    ranked = suggestions.rank(
        meeting,
        group_of(meeting, asker, with_names=with_names),
        [],
        now=clock.now(),
        limit=9,
        with_names=with_names,
    )
    return [each.outcome.start for each in ranked if not each.outcome.missing]


def test_who_is_in_another_meeting_of_the_calendar_is_not_offered_then(mina, rosa, calendar):
    meeting = build.meeting(calendar=calendar)
    before = starts(meeting, mina)
    build.meeting(calendar=calendar, required=[rosa], final_time=TEN, duration_minutes=60)
    meeting = queries.meetings.meeting_for(mina, meeting.pk)

    assert before[0] == TEN
    assert starts(meeting, mina) == [ELEVEN, NINE]


def test_a_meeting_is_not_in_its_own_way(mina, calendar):
    meeting = build.meeting(calendar=calendar, final_time=TEN)

    assert starts(meeting, mina)[0] == TEN


def test_only_those_whom_the_other_meeting_is_for_are_in_it(mina, calendar):
    build.meeting(calendar=calendar, required=[mina], final_time=TEN)

    outcome = outcomes.outcomes_at(
        group_of(build.meeting(calendar=calendar), mina), [TEN], timedelta(hours=1)
    )[0]

    assert [person.username for person in outcome.attending] == ["rosa"]


def test_meetings_of_other_calendars_are_not_told_of(mina, rosa, calendar):
    build.meeting(calendar=build.calendar(owner=rosa), final_time=TEN)

    assert starts(build.meeting(calendar=calendar), mina)[0] == TEN


@pytest.mark.parametrize(
    ("own", "theirs", "nine", "eleven"),
    [(0, 0, True, True), (1, 0, False, True), (0, 1, True, False)],
)
def test_the_buffer_after_either_meeting_is_kept(mina, calendar, own, theirs, nine, eleven):
    build.meeting(calendar=calendar, final_time=TEN, duration_minutes=60, buffer_minutes=theirs)
    meeting = build.meeting(calendar=calendar, buffer_minutes=own)

    ranked = outcomes.outcomes_at(group_of(meeting, mina), [NINE, ELEVEN], timedelta(hours=1))

    assert [bool(outcome.attending) for outcome in ranked] == [nine, eleven]


def test_the_reason_says_so_and_not_that_somebody_offered_too_little(mina, rosa, calendar):
    build.meeting(calendar=calendar, required=[rosa], final_time=TEN)
    meeting = build.meeting(calendar=calendar)
    stored = [build.suggestion(meeting, mina, TEN)]

    ranked = suggestions.rank(
        meeting, group_of(meeting, mina), stored, now=clock.now(), limit=1, with_names=True
    )

    said = next(each.reasons for each in ranked if each.stored)
    assert said == ["1 of 2 can come.", "Rosa: in another meeting at that time."]


def test_nobody_is_asked_for_the_time_of_another_meeting(mina, rosa, calendar):
    """Rosa has ten to eleven only, and is in another meeting then; what could be asked of her is an
    hour at nine.
    """
    rosa.non_busy_times.exclude(start_time=TEN).delete()
    meeting = build.meeting(calendar=calendar)
    assert (
        insights.insights_for(
            meeting, group_of(meeting, mina), now=clock.now(), with_names=True, asker=mina.pk
        ).ask.wanted
        == []
    )
    build.meeting(calendar=calendar, required=[rosa], final_time=TEN)

    meeting = queries.meetings.meeting_for(mina, meeting.pk)
    ask = insights.insights_for(
        meeting, group_of(meeting, mina), now=clock.now(), with_names=True, asker=mina.pk
    ).ask

    assert [(person.username, start, end) for person, start, end in ask.wanted] == [
        ("rosa", NINE, TEN)
    ]
    assert [(person.username, starts) for person, starts in ask.first] == [("rosa", 2)]


def test_what_if_somebody_were_left_out_leaves_the_others_in_their_meetings(mina, rosa, calendar):
    build.meeting(calendar=calendar, required=[rosa], final_time=TEN)
    meeting = build.meeting(calendar=calendar)
    without = suggestions.WhatIf(without=frozenset([mina.pk]))

    _, group = suggestions.suppose(meeting, group_of(meeting, mina), without, by=mina)

    assert outcomes.outcomes_at(group, [TEN, NINE], timedelta(hours=1))[0].attending == []
    assert [
        person.username
        for person in outcomes.outcomes_at(group, [NINE], timedelta(hours=1))[0].attending
    ] == ["rosa"]


@pytest.mark.parametrize("other", [{"required": True}, {"optional": True}, {}])
def test_where_answers_are_hidden_no_number_tells_of_who_is_in_another_meeting(
    mina, rosa, calendar, other
):
    """Numbers are those of all who can, or the start is none at all because somebody required is in
    another meeting.
    """
    others = [rosa, *(build.user() for _ in range(3))]
    for person in others[1:]:
        build.participant(calendar, person)
        build.window(calendar, person, NINE, NOON, 5)
    meeting = build.meeting(calendar=calendar)
    before = [
        len(o.attending)
        for o in outcomes.outcomes_at(
            group_of(meeting, mina, with_names=False), [NINE, TEN, ELEVEN], timedelta(hours=1)
        )
    ]
    build.meeting(
        calendar=calendar, final_time=TEN, duration_minutes=60, **{role: [rosa] for role in other}
    )
    meeting = queries.meetings.meeting_for(mina, meeting.pk)

    ranked = outcomes.outcomes_at(
        group_of(meeting, mina, with_names=False), [NINE, TEN, ELEVEN], timedelta(hours=1)
    )

    assert [len(outcome.attending) for outcome in ranked] == [before[0], 0, before[2]]
    assert TEN not in starts(meeting, mina, with_names=False)


def test_where_answers_are_hidden_meetings_of_optional_people_are_in_no_ones_way(
    mina, rosa, calendar
):
    calendar.participants.filter(user=rosa).update(required=False)
    build.meeting(calendar=calendar, required=[rosa], final_time=TEN)

    assert starts(build.meeting(calendar=calendar), mina, with_names=False)[0] == TEN


def test_where_answers_are_hidden_the_reason_of_what_somebody_suggested_says_so(
    mina, rosa, calendar
):
    build.meeting(calendar=calendar, required=[rosa], final_time=TEN)
    meeting = build.meeting(calendar=calendar)
    stored = [build.suggestion(meeting, mina, TEN)]

    ranked = suggestions.rank(
        meeting,
        group_of(meeting, mina, with_names=False),
        stored,
        now=clock.now(),
        limit=1,
        with_names=False,
    )

    assert [each.reasons for each in ranked if each.stored] == [
        ["Somebody required is in another meeting at that time."]
    ]


def test_who_has_no_time_left_beside_another_meeting_has_still_answered(mina, rosa, calendar):
    build.meeting(calendar=calendar, final_time=NINE, duration_minutes=180)

    group = group_of(build.meeting(calendar=calendar), mina)

    assert len(group.free) == 0
    assert [person.username for person in group.answered] == ["mina", "rosa"]


def test_a_time_set_at_the_deadline_keeps_the_buffer_before_other_meetings(mina, calendar):
    build.meeting(calendar=calendar, final_time=TEN, duration_minutes=60)
    meeting = build.meeting(
        calendar=calendar,
        auto_finalize=True,
        buffer_minutes=15,
        deadline=clock.now(),
        latest=ELEVEN,
    )

    actions.finish_deadline(meeting)

    meeting.refresh_from_db()
    assert meeting.final_time is None


def test_a_near_miss_is_never_in_the_time_of_another_meeting(mina, rosa, calendar):
    """Rosa has all the hour at ten but the five minutes of another meeting, and those can't be
    asked of her.
    """
    for person in (mina, rosa):
        person.non_busy_times.all().delete()
    build.window(calendar, mina, NINE, build.day(17))
    build.window(calendar, rosa, TEN, ELEVEN)
    build.meeting(
        calendar=calendar,
        required=[rosa],
        final_time=TEN + timedelta(minutes=30),
        duration_minutes=5,
    )
    meeting = build.meeting(calendar=calendar)

    ranked = suggestions.rank(
        meeting, group_of(meeting, mina), [], now=clock.now(), limit=1, with_names=True
    )

    assert (
        ranked[0].reasons[-1]
        == "If it starts 30 minutes later, Rosa would need only 30 minutes more."
    )
