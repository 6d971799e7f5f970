"""Meetings: making them, fixing, moving, withdrawing and deleting them, and who hears of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, Meeting, MeetingAttendee
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests import build
from tests.calendars.cast import changes_nothing, refuses

pytestmark = pytest.mark.django_db
TEN, ELEVEN, NOON = build.day(10), build.day(11), build.day(12)
SOON = build.day(0, days=3)


@pytest.fixture
def calendar(mina, sam, iris):
    return build.calendar(owner=mina, participants=[sam, iris])


def fresh(meeting: Meeting) -> Meeting:
    return queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)


def edit(meeting: Meeting, **changes):
    """Change the meeting as its owner who just read it."""
    meeting = fresh(meeting)
    meeting, _, cautions = actions.edit_meeting(meeting, by=meeting.calendar.owner, **changes)
    return meeting, cautions


def named_in(meeting: Meeting) -> dict[str, bool]:
    return dict(
        MeetingAttendee.objects.filter(meeting=meeting).values_list("user__username", "required")
    )


def said(mail) -> tuple[str, str, int]:
    """Whom a mail's document is for, its method and SEQUENCE."""
    (document,) = mail.documents
    return (
        mail.to.partition("@")[0],
        document.one("METHOD").value,
        int(document.components[0].one("SEQUENCE").value),
    )


# Create -------------------------------------------------------------------------------------------


def test_a_meeting_is_for_everyone_unless_somebody_is_named(mina, sam, iris, calendar, post):
    for_all, _ = actions.create_meeting(calendar, by=mina, deadline=SOON)
    named, _ = actions.create_meeting(
        calendar,
        by=mina,
        deadline=SOON,
        required=[mina.pk, sam.pk],
        optional=[sam.pk, iris.pk],
        title=" Talk ",
    )

    assert (fresh(for_all).for_everyone, named_in(for_all)) == (True, {})
    assert (fresh(named).for_everyone, named_in(named)) == (
        False,
        {"mina": True, "sam": True, "iris": False},
    )
    assert fresh(named).title == "Talk"
    assert (fresh(named).sequence, fresh(named).final_time) == (0, None)
    assert post.told() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deadline", build.day(0, days=-1)),
        ("latest", TEN),
        ("duration_minutes", 0),
        ("duration_minutes", 31 * 24 * 60 + 1),
        ("title", "two\nlines"),
        ("title", "x" * 201),
        ("location", "x" * 201),
        ("description", "x" * 10_001),
        ("required", [0]),
        ("optional", [0]),
    ],
)
def test_bad_fields_are_refused_by_name(mina, calendar, field, value):
    fields = {"deadline": SOON, "earliest": ELEVEN, field: value}
    meeting = build.meeting(calendar=calendar, earliest=ELEVEN)

    with refuses(InvalidInput, field=field):
        actions.create_meeting(calendar, by=mina, **fields)
    with refuses(InvalidInput, field=field):
        actions.edit_meeting(meeting, by=mina, **{field: value})


def test_only_people_of_the_calendar_are_named(mina, calendar, eve):
    with refuses(InvalidInput, field="required"):
        actions.create_meeting(calendar, by=mina, deadline=SOON, required=[mina.pk, eve.pk])
    with refuses(InvalidInput, field="optional"):
        actions.create_meeting(calendar, by=mina, deadline=SOON, optional=[eve.pk])


def test_only_the_owner_has_meetings_in_hand(sam, calendar):
    meeting = build.meeting(calendar=calendar)

    with refuses(NotAllowed):
        actions.create_meeting(calendar, by=sam, deadline=SOON)
    with refuses(NotAllowed):
        actions.edit_meeting(meeting, by=sam, final_time=TEN)
    with refuses(NotAllowed):
        actions.delete_meeting(meeting, by=sam)


def test_meetings_are_frozen_while_the_calendar_is_finalised(mina, calendar):
    meeting = build.meeting(calendar=calendar, final_time=TEN)
    Calendar.objects.update(is_finalized=True)  # a moment ago: `calendar` was read before

    with refuses(Conflict, "calendar_finalized"):
        actions.create_meeting(calendar, by=mina, deadline=SOON)
    with refuses(Conflict, "calendar_finalized"):
        actions.edit_meeting(meeting, by=mina, final_time=None)
    with refuses(Conflict, "calendar_finalized"):
        actions.delete_meeting(meeting, by=mina)


# Fix, move, withdraw ------------------------------------------------------------------------------


def test_the_life_of_a_meeting_as_its_attendees_calendars_hear_it(mina, sam, iris, calendar, post):
    """ML-09: SEQUENCE 0 with the first request, one more with each change; cancels to those who
    leave, then to all, each larger.
    """
    meeting, _ = actions.create_meeting(calendar, by=mina, deadline=SOON, title="Talk")
    told = []

    edit(meeting, final_time=TEN)
    told.append([said(mail) for mail in post.deliver()])
    for hour in (11, 12, 13):
        edit(meeting, final_time=build.day(hour))
        told.append([said(mail) for mail in post.deliver()])
    edit(meeting, title="Speech")
    told.append([said(mail) for mail in post.deliver()])
    seat = calendar.participants.get(user=sam)
    actions.remove_participant(queries.people.participant_for(calendar, seat.pk), by=mina)
    told.append([said(mail) for mail in post.deliver()])
    edit(meeting, final_time=None)
    told.append([said(mail) for mail in post.deliver()])
    edit(meeting, final_time=NOON)
    told.append([said(mail) for mail in post.deliver()])
    actions.delete_meeting(fresh(meeting), by=mina)
    told.append([said(mail) for mail in post.deliver()])

    for sequence in range(5):
        assert told[sequence] == [(name, "REQUEST", sequence) for name in ("iris", "mina", "sam")]
    assert told[5] == [("sam", "CANCEL", 5)]
    assert told[6] == [(name, "CANCEL", 6) for name in ("iris", "mina")]
    assert told[7] == [(name, "REQUEST", 7) for name in ("iris", "mina")]
    assert told[8] == [(name, "CANCEL", 8) for name in ("iris", "mina")]


def test_what_a_request_says_is_the_meeting(mina, sam, calendar, post):
    type(sam.usersetting).objects.filter(user=sam).update(
        time_zone="Asia/Kathmandu", hour_cycle="h12"
    )
    meeting = build.meeting(
        calendar=calendar,
        title="Talk; drums, and \\",
        description="Line one\nline two",
        location="Room 4",
        duration_minutes=45,
    )

    edit(meeting, final_time=TEN)

    (mail,) = post.deliver_to("sam")
    assert "3:45 PM–4:30 PM (Asia/Kathmandu)" in mail.text
    event = mail.documents[0].components[0]
    assert event.one("UID").value == str(meeting.pk)
    assert event.one("DTSTART").value == f"{TEN:%Y%m%dT%H%M%SZ}"
    assert event.one("DTEND").value == f"{TEN + timedelta(minutes=45):%Y%m%dT%H%M%SZ}"
    assert event.one("SUMMARY").text == "Talk; drums, and \\"
    assert event.one("DESCRIPTION").text == "Line one\nline two"
    assert event.one("LOCATION").text == "Room 4"
    assert event.one("ORGANIZER").parameters["CN"] == "Mina"
    assert [attendee.value for attendee in event.all("ATTENDEE")] == ["mailto:sam@example.org"]


def test_whether_somebody_is_required_is_said_to_them(mina, sam, iris, calendar, post):
    calendar.participants.filter(user=iris).update(required=False)
    edit(build.meeting(calendar=calendar, title="All"), final_time=TEN)
    edit(
        build.meeting(calendar=calendar, title="Named", required=[iris], optional=[sam]),
        final_time=TEN,
    )

    roles = {
        (mail.to.partition("@")[0], event.one("SUMMARY").value): event.one("ATTENDEE").parameters[
            "ROLE"
        ]
        for mail in post.deliver()
        for event in mail.documents[0].components
    }

    assert roles == {
        ("mina", "All"): "REQ-PARTICIPANT",
        ("sam", "All"): "REQ-PARTICIPANT",
        ("iris", "All"): "OPT-PARTICIPANT",
        ("iris", "Named"): "REQ-PARTICIPANT",
        ("sam", "Named"): "OPT-PARTICIPANT",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"final_time": TEN},
        {"final_time": TEN, "title": "Talk", "deadline": SOON, "required": [], "optional": []},
        {"location": "", "description": "", "duration_minutes": None, "quorum": None},
        {},
    ],
)
def test_a_write_that_changes_nothing_sends_no_mail_and_raises_no_sequence(calendar, changes):
    meeting = build.meeting(
        calendar=calendar, title="Talk", deadline=SOON, final_time=TEN, sequence=3
    )

    with changes_nothing():
        edit(meeting, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"quorum": 2},
        {"buffer_minutes": 10},
        {"duration_minutes": 60},
        {"auto_finalize": True},
        {"earliest": TEN},
    ],
)
def test_a_change_that_calendars_do_not_show_sends_no_mail_and_raises_no_sequence(
    calendar, post, changes
):
    meeting = build.meeting(calendar=calendar, title="Talk", final_time=TEN, sequence=3)

    edited, _ = edit(meeting, **changes)

    assert post.told() == []
    assert (
        (fresh(meeting).sequence, fresh(meeting).version)
        == (3, meeting.version + 1)
        == (edited.sequence, edited.version)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Talk"},
        {"description": "About"},
        {"location": "Room 4"},
        {"duration_minutes": 90},
        {"final_time": NOON},
    ],
)
def test_a_change_that_calendars_show_is_told_once_to_each(calendar, post, changes):
    meeting = build.meeting(calendar=calendar, final_time=TEN, sequence=3)

    edit(meeting, **changes)

    assert post.told() == ["moved iris", "moved mina", "moved sam"]
    assert {said(mail)[2] for mail in post.deliver()} == {4} == {fresh(meeting).sequence}


def test_changes_before_a_final_time_are_told_to_nobody(calendar, post):
    meeting = build.meeting(calendar=calendar)

    edit(meeting, title="Talk", duration_minutes=90, deadline=build.day(0, days=4))

    assert post.told() == []
    assert fresh(meeting).sequence == 0


def test_a_mail_says_when_it_was_only_if_that_changed(calendar, post):
    meeting = build.meeting(calendar=calendar, final_time=TEN)

    edit(meeting, title="Talk")
    details = post.deliver_to("sam")[0]
    edit(meeting, final_time=NOON)
    moved = post.deliver_to("sam")[0]

    assert "10:00–11:00" in details.text
    assert "instead of" not in details.text.lower()
    assert "12:00–13:00" in moved.text
    assert "10:00" in moved.text


# Who is in it -------------------------------------------------------------------------------------


def test_naming_attendees_of_a_fixed_meeting_tells_those_who_come_and_go(
    mina, sam, iris, calendar, post
):
    meeting = build.meeting(calendar=calendar, final_time=TEN, required=[mina, sam])

    edit(meeting, required=[mina.pk], optional=[iris.pk])

    assert named_in(meeting) == {"mina": True, "iris": False}
    assert post.told() == ["cancelled sam", "request iris"]
    assert [said(mail) for mail in post.deliver()] == [("iris", "REQUEST", 1), ("sam", "CANCEL", 1)]


def test_opening_a_meeting_to_everyone_and_closing_it_again(mina, sam, iris, calendar, post):
    meeting = build.meeting(calendar=calendar, final_time=TEN, required=[mina])

    edit(meeting, required=[])
    assert post.told() == ["request iris", "request sam"]
    assert fresh(meeting).for_everyone
    edit(meeting, required=[mina.pk])

    assert post.told() == ["cancelled iris", "cancelled sam"]
    assert not fresh(meeting).for_everyone


def test_moving_and_naming_at_once_tells_each_what_is_theirs(mina, sam, iris, calendar, post):
    meeting = build.meeting(calendar=calendar, title="Talk", final_time=TEN, required=[mina, sam])

    edit(meeting, final_time=NOON, title="Speech", required=[mina.pk, iris.pk])

    assert post.told() == ["cancelled sam", "moved mina", "request iris"]
    cancel = (
        next(mail for mail in post.deliver() if mail.to.startswith("sam"))
        .documents[0]
        .components[0]
    )
    assert cancel.one("SUMMARY").value == "Talk"  # nothing of what came after he was in it
    assert cancel.one("DTSTART").value == f"{TEN:%Y%m%dT%H%M%SZ}"


def test_withdrawing_and_naming_at_once_cancels_for_those_who_had_it(
    mina, sam, iris, calendar, post
):
    meeting = build.meeting(calendar=calendar, final_time=TEN, required=[mina, sam])

    edit(meeting, final_time=None, required=[iris.pk])

    assert post.told() == ["cancelled mina", "cancelled sam"]


def test_fixing_and_naming_at_once_asks_only_the_named(mina, sam, calendar, post):
    meeting = build.meeting(calendar=calendar)

    edit(meeting, final_time=TEN, optional=[sam.pk])

    assert post.told() == ["request sam"]


def test_a_list_that_is_absent_keeps_whom_it_named(mina, sam, iris, calendar):
    meeting = build.meeting(calendar=calendar, required=[mina], optional=[sam])

    edit(meeting, optional=[iris.pk])
    assert named_in(meeting) == {"mina": True, "iris": False}
    edit(meeting, required=[iris.pk])
    assert named_in(meeting) == {"iris": True}  # who is in both is required


def test_refused_names_leave_the_others(mina, sam, calendar, eve):
    meeting = build.meeting(calendar=calendar, final_time=TEN, required=[mina, sam])

    with refuses(InvalidInput, field="required"):
        edit(meeting, final_time=NOON, required=[eve.pk])


# Two at once --------------------------------------------------------------------------------------


def test_of_two_who_read_the_same_state_one_wins(mina, calendar, post):
    build.meeting(calendar=calendar)
    first, second = (
        queries.meetings.with_attendees().select_related("calendar").get() for _ in range(2)
    )
    actions.edit_meeting(first, by=mina, final_time=TEN)

    with refuses(Conflict, "changed_meanwhile"):
        actions.edit_meeting(second, by=mina, final_time=NOON)
    with refuses(Conflict, "changed_meanwhile"):
        actions.delete_meeting(second, by=mina)
    assert fresh(first).final_time == TEN


def test_a_meeting_deleted_a_moment_ago_is_not_found(mina, calendar):
    meeting = build.meeting(calendar=calendar, final_time=TEN)
    actions.delete_meeting(fresh(meeting), by=mina)

    with refuses(NotFound):
        actions.edit_meeting(meeting, by=mina, final_time=NOON)
    with refuses(NotFound):
        actions.delete_meeting(meeting, by=mina)


def test_somebody_who_joined_since_it_was_read_hears_of_the_change(mina, calendar, post):
    read = (
        queries.meetings.with_attendees()
        .select_related("calendar")
        .get(pk=build.meeting(calendar=calendar, final_time=TEN).pk)
    )
    actions.add_participant(Calendar.objects.get(), by=mina, user=build.user("bao").pk)
    assert post.told() == ["added bao", "request bao"]

    actions.edit_meeting(read, by=mina, final_time=NOON)

    assert post.told() == ["moved bao", "moved iris", "moved mina", "moved sam"]


# Delete -------------------------------------------------------------------------------------------


def test_deleting_a_meeting_cancels_it_if_it_had_a_final_time(mina, calendar, post):
    unscheduled, withdrawn = (
        build.meeting(calendar=calendar),
        build.meeting(calendar=calendar, sequence=2),
    )
    fixed = build.meeting(calendar=calendar, final_time=TEN, sequence=4, required=[mina])

    for meeting in (unscheduled, withdrawn, fixed):
        actions.delete_meeting(fresh(meeting), by=mina)

    assert not Meeting.objects.exists()
    assert post.told() == ["cancelled mina"]
    assert [said(mail) for mail in post.deliver()] == [("mina", "CANCEL", 5)]


# Cautions -----------------------------------------------------------------------------------------


def everyone_free(calendar, start=TEN, end=NOON) -> None:
    for seat in calendar.participants.select_related("user"):
        build.window(calendar, seat.user, start, end)


def cautions_of(meeting, final_time, **changes) -> list[str]:
    return [caution.code for caution in edit(meeting, final_time=final_time, **changes)[1]]


def test_a_time_that_suits_all_raises_no_caution(calendar):
    everyone_free(calendar)

    edit(build.meeting(calendar=calendar), final_time=TEN, strict=True)

    assert Meeting.objects.get().final_time == TEN


def test_a_time_in_the_past_is_a_caution(calendar):
    everyone_free(calendar, build.day(10, days=-1), build.day(12, days=-1))

    assert cautions_of(build.meeting(calendar=calendar), build.day(10, days=-1)) == ["in_the_past"]


def test_that_nobody_answered_is_a_caution(mina, sam, iris, calendar):
    assert cautions_of(build.meeting(calendar=calendar), TEN) == ["nobody_answered"]
    Meeting.objects.all().delete()
    build.window(calendar, iris, TEN, NOON)
    assert cautions_of(build.meeting(calendar=calendar, required=[mina, sam]), TEN) == [
        "nobody_answered"
    ]


def test_that_somebody_required_can_not_come_is_a_caution_who_and_why(mina, sam, iris, calendar):
    build.window(calendar, mina, TEN, NOON)
    build.window(calendar, sam, build.day(10.5), NOON)
    meeting = build.meeting(calendar=calendar, required=[mina, sam], optional=[iris])

    _, cautions = edit(meeting, final_time=TEN)

    assert [(c.code, c.about) for c in cautions] == [("required_missing", {"users": [sam.pk]})]
    assert "Sam" in cautions[0].detail
    Meeting.objects.all().delete()
    assert cautions_of(build.meeting(calendar=calendar, required=[mina], optional=[sam]), TEN) == []


def test_attendees_named_in_the_same_change_are_the_ones_asked(mina, sam, calendar):
    build.window(calendar, mina, TEN, NOON)
    build.window(calendar, sam, build.day(14), build.day(15))
    meeting = build.meeting(calendar=calendar, required=[mina, sam])

    assert cautions_of(meeting, TEN, required=[mina.pk]) == []


def test_a_longer_duration_is_asked_about_again_but_not_a_title(mina, calendar):
    everyone_free(calendar, TEN, ELEVEN)
    meeting = build.meeting(calendar=calendar, final_time=TEN)

    assert [c.code for c in edit(meeting, duration_minutes=90)[1]] == ["required_missing"]
    assert edit(meeting, title="Talk")[1] == []


@pytest.mark.parametrize(
    ("start", "minutes", "busy"),
    [
        (10.5, 60, True),
        (9.5, 60, True),
        (9, 60, False),
        (11, 60, False),
        (9, 180, True),
        (10.25, 15, True),
        (10 + 59 / 60, 5, True),
    ],
)
def test_somebody_in_another_meeting_anywhere_is_a_caution(sam, calendar, start, minutes, busy):
    everyone_free(calendar)
    elsewhere = build.calendar(participants=[sam], duration_minutes=minutes)
    build.meeting(calendar=elsewhere, final_time=build.day(start))

    _, cautions = edit(build.meeting(calendar=calendar), final_time=TEN)

    assert [(c.code, c.about) for c in cautions] == (
        [("double_booked", {"users": [sam.pk]})] if busy else []
    )


def test_only_meetings_somebody_is_in_make_them_busy(mina, sam, iris, calendar):
    everyone_free(calendar)
    elsewhere = build.calendar(owner=iris, participants=[sam])
    build.meeting(calendar=elsewhere, final_time=TEN, required=[iris])
    build.meeting(calendar=elsewhere)
    build.meeting(calendar=build.calendar(), final_time=TEN)

    _, cautions = edit(build.meeting(calendar=calendar, required=[mina, sam]), final_time=TEN)

    assert cautions == []


def test_where_somebody_is_busy_is_told_to_nobody(sam, calendar):
    everyone_free(calendar)
    build.meeting(
        calendar=build.calendar(participants=[sam], name="Secret band"),
        title="Secret gig",
        final_time=TEN,
    )

    _, (caution,) = edit(build.meeting(calendar=calendar), final_time=TEN)

    assert "ecret" not in f"{caution}"


def test_strict_makes_a_conflict_of_each_caution_and_names_them_all(mina, sam, calendar, post):
    build.meeting(calendar=calendar, final_time=build.day(10, days=-1), title="Other")
    build.window(calendar, sam, TEN, NOON)
    meeting = build.meeting(calendar=calendar, required=[mina, sam])

    with refuses(Conflict, "in_the_past"):
        edit(meeting, final_time=build.day(10, days=-1), strict=True)
    with pytest.raises(Conflict) as refusal:
        edit(meeting, final_time=build.day(10, days=-1), strict=True)

    assert [warning["code"] for warning in refusal.value.extra["warnings"]] == [
        "in_the_past",
        "required_missing",
        "double_booked",
    ]
    assert post.told() == []


def test_withdrawing_is_never_a_caution(calendar):
    meeting = build.meeting(calendar=calendar, final_time=build.day(10, days=-1))

    assert edit(meeting, final_time=None, strict=True)[1] == []


# Deadlines ----------------------------------------------------------------------------------------


def test_a_new_deadline_is_to_come_and_an_old_one_may_stay(calendar):
    meeting = build.meeting(calendar=calendar, deadline=clock.now() - timedelta(hours=1))

    edit(meeting, title="Talk", deadline=meeting.deadline)

    with refuses(InvalidInput, field="deadline"):
        edit(meeting, deadline=clock.now() - timedelta(minutes=1))


# What it costs ------------------------------------------------------------------------------------


def test_fixing_a_time_costs_the_same_statements_for_few_people_and_for_many(mina):
    counts = []
    for size in (2, 12):
        people = [build.user() for _ in range(size)]
        calendar = build.calendar(owner=mina, participants=people)
        everyone_free(calendar)
        for person in people:
            build.meeting(calendar=build.calendar(owner=person), final_time=build.day(10.5))
        meeting = fresh(build.meeting(calendar=calendar))
        with CaptureQueriesContext(connection) as statements:
            actions.edit_meeting(meeting, by=mina, final_time=TEN)
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert counts[0] <= 12
