"""What happens once at a meeting's deadline: the owner's report, and the best time if that was
wanted.
"""

from datetime import timedelta

import pytest

from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting
from commontime.core import clock
from commontime.jobs.tasks import meet_deadlines
from tests import build
from tests.calendars.cast import changes_nothing

pytestmark = pytest.mark.django_db
TEN, ELEVEN, NOON = build.day(10), build.day(11), build.day(12)


@pytest.fixture
def calendar(mina, sam, iris):
    return build.calendar(owner=mina, participants=[sam, iris])


def due(calendar, **fields) -> Meeting:
    """A meeting whose deadline has just passed."""
    return build.meeting(calendar=calendar, deadline=clock.now() - timedelta(seconds=1), **fields)


def finish(meeting: Meeting) -> Meeting:
    actions.finish_deadline(
        queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)
    )
    return Meeting.objects.get(pk=meeting.pk)


def free(calendar, *people, start=TEN, end=ELEVEN, preference=5) -> None:
    for person in people:
        build.window(calendar, person, start, end, preference)


# The report ---------------------------------------------------------------------------------------


def test_the_owner_gets_the_three_best_times_and_who_is_missing_once(mina, sam, calendar, post):
    meeting = due(calendar, title="Talk")
    free(calendar, mina, sam)
    free(calendar, mina, start=NOON, end=build.day(13), preference=9)
    free(calendar, mina, start=build.day(14), end=build.day(15), preference=1)
    build.suggestion(meeting, sam, build.day(20))

    finish(meeting)
    finish(meeting)

    assert post.told() == ["deadline mina"]
    (mail,) = post.deliver()
    times = [
        line.strip().partition("(UTC)")[0][-12:-1]
        for line in mail.text.splitlines()
        if "(UTC)" in line
    ]
    assert times == ["10:00–11:00", "12:00–13:00", "14:00–15:00"]
    assert "Iris" in mail.text
    assert "Both people who answered can come." in mail.text


def test_nothing_is_due_before_the_deadline_nor_with_a_final_time(calendar, post):
    early = build.meeting(calendar=calendar, deadline=clock.now() + timedelta(minutes=1))
    fixed = due(calendar, final_time=TEN)

    for meeting in (early, fixed):
        with changes_nothing():
            finish(meeting)


def test_a_meeting_deleted_meanwhile_is_passed_over(calendar):
    meeting = due(calendar)
    Meeting.objects.all().delete()

    with changes_nothing():
        actions.finish_deadline(meeting)


def test_a_new_deadline_is_reported_again(mina, calendar, post):
    meeting = finish(due(calendar))
    meeting, *_ = actions.edit_meeting(
        queries.meetings.with_attendees().get(), by=mina, deadline=clock.now() + timedelta(hours=1)
    )
    assert meeting.announced_at is None
    Meeting.objects.update(deadline=clock.now() - timedelta(seconds=1))

    finish(meeting)

    assert post.told() == ["deadline mina"] * 2


def test_the_clock_finds_what_is_due(calendar, post):
    for _ in range(3):
        due(calendar)
    build.meeting(calendar=calendar)

    meet_deadlines.call()
    meet_deadlines.call()

    assert post.told() == ["deadline mina"] * 3


@pytest.mark.parametrize("jump", [timedelta(minutes=-10), timedelta(days=1), timedelta(days=-1)])
def test_a_clock_that_is_set_back_or_forward_reports_once(calendar, post, monkeypatch, jump):
    due(calendar)
    meet_deadlines.call()
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + jump)

    meet_deadlines.call()

    assert post.told() == ["deadline mina"]


def test_the_report_goes_to_whoever_owns_the_calendar_when_it_is_sent(mina, sam, calendar, post):
    finish(due(calendar))
    Calendar.objects.update(owner=sam)

    assert post.deliver() == []


def test_reports_switched_off_are_not_sent(calendar, mina, post):
    type(mina.usersetting).objects.filter(user=mina).update(mail_reminders=False)

    finish(due(calendar))

    assert post.deliver() == []


# Fixing the best time by itself -------------------------------------------------------------------


def test_the_best_time_is_set_when_all_can_come(mina, sam, iris, calendar, post):
    free(calendar, mina, sam, iris)
    free(calendar, mina, sam, start=NOON, end=build.day(13), preference=10)

    meeting = finish(due(calendar, auto_finalize=True))

    assert (meeting.final_time, meeting.sequence) == (TEN, 0)
    assert post.told() == ["deadline mina", "request iris", "request mina", "request sam"]
    report = next(mail for mail in post.deliver() if not mail.documents)
    assert "10:00–11:00" in report.text


def test_nothing_is_set_unless_the_owner_wanted_it(mina, sam, iris, calendar):
    free(calendar, mina, sam, iris)

    assert finish(due(calendar)).final_time is None


def test_nothing_is_set_in_a_finalised_calendar(mina, sam, iris, calendar):
    free(calendar, mina, sam, iris)
    Calendar.objects.update(is_finalized=True)

    assert finish(due(calendar, auto_finalize=True)).final_time is None


@pytest.mark.parametrize("missing", ["can't", "silent"])
def test_without_a_quorum_everybody_required_must_come(mina, sam, iris, calendar, missing):
    free(calendar, mina, sam)
    if missing == "can't":
        free(calendar, iris, start=NOON, end=build.day(13))

    assert finish(due(calendar, auto_finalize=True)).final_time is None
    CalendarParticipant.objects.filter(user=iris).update(required=False)
    assert finish(due(calendar, auto_finalize=True)).final_time == TEN


def test_optional_people_do_not_stand_in_for_required_ones(mina, sam, iris, calendar):
    """Two required, one of them silent, and two who could come: that is not everybody required."""
    CalendarParticipant.objects.filter(user=iris).update(required=False)
    free(calendar, mina, iris)

    assert finish(due(calendar, auto_finalize=True)).final_time is None


@pytest.mark.parametrize(("quorum", "is_set"), [(1, True), (2, True), (3, False)])
def test_with_a_quorum_so_many_are_enough(mina, sam, iris, calendar, quorum, is_set):
    free(calendar, mina, sam)
    free(calendar, iris, start=NOON, end=build.day(13))

    assert finish(due(calendar, auto_finalize=True, quorum=quorum)).final_time == (
        TEN if is_set else None
    )


def test_a_quorum_does_not_outvote_whom_the_meeting_names_as_required(mina, sam, iris, calendar):
    free(calendar, mina, sam)
    free(calendar, iris, start=NOON, end=build.day(13))

    assert (
        finish(
            due(calendar, auto_finalize=True, quorum=2, required=[iris], optional=[mina, sam])
        ).final_time
        is None
    )
    assert (
        finish(
            due(calendar, auto_finalize=True, quorum=2, required=[mina], optional=[iris, sam])
        ).final_time
        == TEN
    )


def test_a_suggestion_that_passed_is_never_set(mina, sam, iris, calendar, post):
    past = build.day(10, days=-1)
    free(calendar, mina, sam, iris, start=past, end=past + timedelta(hours=1), preference=10)
    meeting = due(calendar, auto_finalize=True)
    build.suggestion(meeting, sam, past)

    assert finish(meeting).final_time is None
    assert post.told() == ["deadline mina"]


def test_a_suggestion_outside_the_meetings_bounds_is_never_set(mina, sam, iris, calendar):
    free(calendar, mina, sam, iris, preference=10)
    free(calendar, mina, sam, iris, start=NOON, end=build.day(13), preference=5)
    meeting = due(calendar, auto_finalize=True, earliest=NOON, latest=build.day(13))
    build.suggestion(meeting, sam, TEN)

    assert finish(meeting).final_time == NOON


def test_nobody_is_told_of_a_time_that_suits_nobody(calendar, post):
    assert finish(due(calendar, auto_finalize=True)).final_time is None
    assert finish(due(calendar, auto_finalize=True, quorum=1)).final_time is None
    assert post.told() == ["deadline mina"] * 2


def test_what_the_owner_withdraws_after_the_deadline_is_not_set_again(
    mina, sam, iris, calendar, post
):
    free(calendar, mina, sam, iris)
    meeting = finish(due(calendar, auto_finalize=True))
    actions.edit_meeting(queries.meetings.with_attendees().get(), by=mina, final_time=None)
    post.told()

    meet_deadlines.call()

    assert finish(meeting).final_time is None
    assert post.told() == []


def test_what_the_owner_fixed_before_and_withdraws_after_the_deadline_stays_open(
    mina, sam, iris, calendar, post
):
    free(calendar, mina, sam, iris)
    due(calendar, auto_finalize=True, final_time=NOON)
    meeting, *_ = actions.edit_meeting(
        queries.meetings.with_attendees().get(), by=mina, final_time=None
    )
    post.told()

    meet_deadlines.call()

    assert finish(meeting).final_time is None
    assert post.told() == []


def test_a_meeting_withdrawn_before_its_deadline_is_still_due(mina, sam, iris, calendar):
    free(calendar, mina, sam, iris)
    build.meeting(calendar=calendar, auto_finalize=True, final_time=NOON)
    actions.edit_meeting(queries.meetings.with_attendees().get(), by=mina, final_time=None)
    Meeting.objects.update(deadline=clock.now() - timedelta(seconds=1))

    meet_deadlines.call()

    assert (Meeting.objects.get().final_time, Meeting.objects.get().sequence) == (TEN, 2)
