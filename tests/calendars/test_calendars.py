"""Making, changing, deleting, copying and handing over a calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.calendars import actions
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests import build
from tests.calendars.cast import changes_nothing, refuses

pytestmark = pytest.mark.django_db
TEN = build.day(10)


@pytest.fixture
def mina():
    return build.user("mina", time_zone="Europe/Berlin")


# Create -------------------------------------------------------------------------------------------


def test_the_owner_is_the_first_participant_and_lends_their_time_zone(mina, post):
    calendar = actions.create_calendar(by=mina, name="  Choir ")

    stored = Calendar.objects.get()
    assert (stored.owner, stored.name, stored.time_zone, stored.is_finalized) == (
        mina,
        "Choir",
        "Europe/Berlin",
        False,
    )
    assert calendar.version == stored.version
    assert CalendarParticipant.objects.get().user == mina
    assert post.told() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 201),
        ("name", "two\nlines"),
        ("name", "\u202eevil"),
        ("location", "x" * 201),
        ("description", "x" * 10_001),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "posixrules"),
        ("visibility", "nobody"),
    ],
)
def test_bad_fields_are_refused_by_name(mina, field, value):
    with refuses(InvalidInput, field=field):
        actions.create_calendar(by=mina, **{"name": "Choir", field: value})


@pytest.mark.parametrize("days", [0, -1, 401])
def test_the_window_of_a_calendar_is_in_order_and_not_too_long(mina, days):
    with refuses(InvalidInput, field="window_end"):
        actions.create_calendar(
            by=mina, name="Choir", window_start=TEN, window_end=TEN + timedelta(days=days)
        )


# Edit ---------------------------------------------------------------------------------------------


def test_an_edit_changes_what_is_named_and_keeps_the_rest(mina, post):
    calendar = build.calendar(owner=mina, location="Room 4")
    version = calendar.version

    edited, cautions = actions.edit_calendar(calendar, by=mina, name="Band", visibility="owner")

    stored = Calendar.objects.get()
    assert (stored.name, stored.visibility, stored.location) == ("Band", "owner", "Room 4")
    assert edited.version == stored.version > version
    assert (cautions, post.told()) == ([], [])


def test_an_edit_that_changes_nothing_writes_nothing(mina):
    calendar = build.calendar(owner=mina, name="Choir", is_finalized=True)

    with changes_nothing():
        actions.edit_calendar(calendar, by=mina, name="Choir ", is_finalized=True)


def test_only_the_owner_edits(mina, sam):
    calendar = build.calendar(owner=mina, participants=[sam])

    with refuses(NotAllowed):
        actions.edit_calendar(calendar, by=sam, name="Mine")


def test_an_edit_by_who_was_the_owner_a_moment_ago_is_refused(mina, sam):
    calendar = build.calendar(owner=mina, participants=[sam])
    Calendar.objects.update(owner=sam)

    with refuses(NotAllowed):
        actions.edit_calendar(calendar, by=mina, name="Still mine")


def test_an_edit_of_a_calendar_that_was_deleted_a_moment_ago_finds_none(mina):
    calendar = build.calendar(owner=mina)
    Calendar.objects.all().delete()

    with refuses(NotFound):
        actions.edit_calendar(calendar, by=mina, name="Ghost")


def test_two_edits_of_different_fields_at_once_both_hold(mina):
    calendar = build.calendar(owner=mina, name="Choir")
    same = Calendar.objects.get()

    actions.edit_calendar(calendar, by=mina, name="Band")
    actions.edit_calendar(same, by=mina, location="Room 4")

    stored = Calendar.objects.get()
    assert (stored.name, stored.location) == ("Band", "Room 4")


def test_finalising_tells_everyone_once_with_all_final_times(mina, sam, post):
    calendar = build.calendar(owner=mina, participants=[sam])
    build.meeting(calendar=calendar, title="Rehearsal", final_time=TEN)
    build.meeting(calendar=calendar, title="Only Mina", final_time=TEN, required=[mina])

    calendar, cautions = actions.edit_calendar(calendar, by=mina, is_finalized=True)
    actions.edit_calendar(calendar, by=mina, is_finalized=True)

    assert cautions == []
    assert post.told() == ["finalized mina", "finalized sam"]
    to_mina, to_sam = post.deliver()
    assert "Rehearsal" in to_mina.text
    assert "Only Mina" in to_mina.text
    assert "Rehearsal" in to_sam.text
    assert "Only Mina" not in to_sam.text


def test_finalising_again_after_reopening_tells_again(mina, post):
    calendar = build.calendar(owner=mina)
    for is_finalized in (True, False, True):
        calendar, _ = actions.edit_calendar(calendar, by=mina, is_finalized=is_finalized)

    assert post.told() == ["finalized mina", "finalized mina"]
    assert Calendar.objects.get().is_finalized


def test_open_meetings_are_a_caution_when_finalising_and_with_strict_a_conflict(mina):
    calendar = build.calendar(owner=mina)
    meeting = build.meeting(calendar=calendar, title="Open")
    build.meeting(calendar=calendar, final_time=TEN)

    with refuses(Conflict, "meeting_still_open"):
        actions.edit_calendar(calendar, by=mina, is_finalized=True, strict=True)
    _, cautions = actions.edit_calendar(Calendar.objects.get(), by=mina, is_finalized=True)

    assert [(caution.code, caution.about) for caution in cautions] == [
        ("meeting_still_open", {"meeting": str(meeting.pk)})
    ]


def test_reopening_keeps_final_times(mina):
    calendar = build.calendar(owner=mina, is_finalized=True)
    build.meeting(calendar=calendar, final_time=TEN)

    actions.edit_calendar(calendar, by=mina, is_finalized=False)

    assert Meeting.objects.get().final_time == TEN


@pytest.mark.parametrize(
    "changes", [{"name": "Band"}, {"location": "Room 4"}, {"duration_minutes": 90}]
)
def test_attendees_hear_of_what_a_meeting_has_from_its_calendar(mina, sam, post, changes):
    calendar = build.calendar(owner=mina, participants=[sam])
    plain = build.meeting(calendar=calendar, final_time=TEN)
    own = build.meeting(
        calendar=calendar, final_time=TEN, title="Own", location="Own", duration_minutes=30
    )
    past = build.meeting(calendar=calendar, final_time=build.day(10, days=-3))
    unscheduled = build.meeting(calendar=calendar)

    actions.edit_calendar(calendar, by=mina, **changes)

    assert post.told() == ["moved mina", "moved sam"]
    assert [Meeting.objects.get(pk=m.pk).sequence for m in (plain, own, past, unscheduled)] == [
        1,
        0,
        0,
        0,
    ]
    event = post.deliver()[0].documents[0].components[0]
    assert event.one("SEQUENCE").value == "1"


def test_attendees_hear_nothing_of_what_their_calendars_do_not_show(mina, post):
    calendar = build.calendar(owner=mina)
    build.meeting(calendar=calendar, final_time=TEN)

    actions.edit_calendar(
        calendar,
        by=mina,
        description="For singers",
        visibility="owner",
        time_zone="Asia/Tokyo",
        window_end=build.day(),
    )

    assert post.told() == []
    assert Meeting.objects.get().sequence == 0


# Delete -------------------------------------------------------------------------------------------


def test_deleting_cancels_each_persons_meetings_to_come_in_one_mail(mina, sam, post, iris):
    calendar = build.calendar(owner=mina, participants=[sam, iris])
    for_all = build.meeting(calendar=calendar, final_time=TEN, title="For all", sequence=3)
    sams = build.meeting(calendar=calendar, final_time=TEN, title="For Sam", required=[mina, sam])
    build.meeting(calendar=calendar, final_time=build.day(10, days=-1), title="Long ago")
    build.meeting(calendar=calendar, title="Never fixed")
    build.invitation(calendar, build.user("eve"))

    actions.delete_calendar(calendar, by=mina)

    assert not Calendar.objects.exists()
    assert post.told() == ["deleted iris", "deleted mina", "deleted sam"]
    cancelled = {
        mail.to: [cancelled_event(document) for document in mail.documents]
        for mail in post.deliver()
    }
    assert sorted(cancelled["mina@example.org"]) == sorted(cancelled["sam@example.org"])
    assert cancelled["iris@example.org"] == [(str(for_all.pk), "4")]
    assert sorted(cancelled["sam@example.org"]) == sorted(
        [(str(for_all.pk), "4"), (str(sams.pk), "1")]
    )


def cancelled_event(document) -> tuple[str, str]:
    event = document.components[0]
    assert document.one("METHOD").value == "CANCEL"
    assert event.one("STATUS").value == "CANCELLED"
    return event.one("UID").value, event.one("SEQUENCE").value


def test_who_deletes_is_told_only_if_their_own_calendar_must_be(mina, sam, post):
    actions.delete_calendar(build.calendar(owner=mina), by=mina)
    assert post.told() == []

    actions.delete_calendar(build.calendar(owner=mina, participants=[sam]), by=mina)
    assert post.told() == ["deleted sam"]


def test_only_the_owner_deletes(mina, sam):
    calendar = build.calendar(owner=mina, participants=[sam])

    with refuses(NotAllowed):
        actions.delete_calendar(calendar, by=sam)


def test_deleting_twice_finds_none(mina):
    calendar = build.calendar(owner=mina)
    actions.delete_calendar(Calendar.objects.get(), by=mina)

    with refuses(NotFound):
        actions.delete_calendar(calendar, by=mina)


# Duplicate ----------------------------------------------------------------------------------------


def test_a_calendar_deleted_just_before_gave_an_empty_copy(mina):
    calendar = build.calendar(owner=mina)
    Calendar.objects.filter(pk=calendar.pk).delete()

    with pytest.raises(NotFound):
        actions.duplicate_calendar(calendar, by=mina, shift_days=7)

    assert Calendar.objects.count() == 0


def test_a_copy_has_the_settings_the_meetings_and_the_people_to_invite(mina, sam, post):
    gone = build.user("gone", is_active=False)
    calendar = build.calendar(
        owner=mina,
        participants=[sam, gone],
        location="Room 4",
        visibility="counts",
        is_finalized=True,
        window_start=TEN,
        window_end=build.day(20),
    )
    build.window(calendar, sam, TEN, build.day(11))
    build.meeting(
        calendar=calendar,
        title="Rehearsal",
        final_time=TEN,
        sequence=2,
        earliest=TEN,
        latest=build.day(20),
        quorum=3,
    )

    copy = actions.duplicate_calendar(calendar, by=mina, shift_days=7)

    week = timedelta(days=7)
    assert (copy.owner, copy.location, copy.visibility, copy.is_finalized) == (
        mina,
        "Room 4",
        "counts",
        False,
    )
    assert (copy.window_start, copy.window_end) == (TEN + week, build.day(20) + week)
    meeting = Meeting.objects.get(calendar=copy)
    assert (meeting.title, meeting.final_time, meeting.sequence, meeting.quorum) == (
        "Rehearsal",
        None,
        0,
        3,
    )
    assert (meeting.earliest, meeting.latest) == (TEN + week, build.day(20) + week)
    assert copy.non_busy_times.count() == 0
    assert [seat.user for seat in copy.participants.all()] == [mina]
    assert [(i.receiver, i.status) for i in Invitation.objects.all()] == [(sam, "pending")]
    assert post.told() == ["invitation sam"]


def test_a_copy_keeps_the_hours_on_the_clock_when_the_clocks_change(mina):
    calendar = build.calendar(
        owner=mina,
        time_zone="Europe/Berlin",
        window_start=datetime(2027, 3, 22, 8, tzinfo=UTC),  # 09:00 in winter
        window_end=datetime(2027, 3, 26, 16, tzinfo=UTC),
    )

    copy = actions.duplicate_calendar(calendar, by=mina, shift_days=7)

    assert copy.window_start == datetime(2027, 3, 29, 7, tzinfo=UTC)  # 09:00 in summer
    assert copy.window_end == datetime(2027, 4, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        # 02:50 and, an hour later on the clock that skips it, 03:10.
        (datetime(2027, 3, 27, 1, 50, tzinfo=UTC), datetime(2027, 3, 27, 2, 10, tzinfo=UTC)),
        # The second 02:10 of the night before comes 20 minutes after the first 02:50.
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), datetime(2026, 10, 25, 1, 10, tzinfo=UTC)),
    ],
    ids=["skipped", "repeated"],
)
def test_a_copy_into_the_night_the_clocks_change_stays_in_order(mina, start, end):
    calendar = build.calendar(
        owner=mina, time_zone="Europe/Berlin", window_start=start, window_end=end
    )
    build.meeting(calendar=calendar, earliest=start, latest=end)

    copy = actions.duplicate_calendar(calendar, by=mina, shift_days=1)

    meeting = Meeting.objects.get(calendar=copy)
    assert (
        copy.window_end - copy.window_start
        == meeting.latest - meeting.earliest
        == timedelta(minutes=20)
    )


def test_deadlines_of_a_copy_are_to_come(mina):
    calendar = build.calendar(owner=mina)
    build.meeting(calendar=calendar, deadline=build.day(10, days=-60))
    build.meeting(calendar=calendar, deadline=TEN)

    copy = actions.duplicate_calendar(calendar, by=mina, shift_days=14)

    soon, later = Meeting.objects.filter(calendar=copy).order_by("deadline")
    assert soon.deadline > build.day(0, days=0)
    assert later.deadline == TEN + timedelta(days=14)


def test_copying_is_the_owners_and_within_reason(mina, sam):
    calendar = build.calendar(owner=mina, participants=[sam], window_start=TEN)

    with refuses(NotAllowed):
        actions.duplicate_calendar(calendar, by=sam, shift_days=7)
    for days in (3661, -3661):
        with refuses(InvalidInput, field="shift_days"):
            actions.duplicate_calendar(calendar, by=mina, shift_days=days)
    Calendar.objects.update(window_start=datetime(2099, 12, 30, tzinfo=UTC))
    with refuses(InvalidInput, field="shift_days"):
        actions.duplicate_calendar(Calendar.objects.get(), by=mina, shift_days=3)


def test_copying_costs_the_same_queries_for_many_meetings_and_people(mina):
    counts = []
    for size in (1, 3):
        calendar = build.calendar(owner=mina, participants=[build.user() for _ in range(size)])
        for _ in range(size):
            build.meeting(calendar=calendar)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            actions.duplicate_calendar(calendar, by=mina, shift_days=1)
        counts.append(len(queries))

    assert counts[0] == counts[1]


# Hand over ----------------------------------------------------------------------------------------


def test_a_participant_becomes_the_owner_and_hears_of_it(mina, sam, post):
    calendar = build.calendar(owner=mina, participants=[sam])
    waiting = build.invitation(calendar, build.user("iris"))
    version = calendar.version

    handed = actions.transfer_calendar(calendar, by=mina, to=sam.pk)

    assert Calendar.objects.get().owner == handed.owner == sam
    assert Calendar.objects.get().version == handed.version > version
    assert calendar.participants.filter(user=mina).exists()
    assert Invitation.objects.get(pk=waiting.pk).sender == sam
    assert post.told() == ["handed_over sam"]
    assert "Mina" in post.deliver()[0].text


def test_handing_over_to_oneself_changes_nothing(mina):
    calendar = build.calendar(owner=mina)

    with changes_nothing():
        actions.transfer_calendar(calendar, by=mina, to=mina.pk)


def test_only_the_owner_hands_over_and_only_to_an_active_participant(mina, sam):
    gone, stranger = build.user("gone", is_active=False), build.user("eve")
    calendar = build.calendar(owner=mina, participants=[sam, gone])

    with refuses(NotAllowed):
        actions.transfer_calendar(calendar, by=sam, to=sam.pk)
    for unfit in (gone.pk, stranger.pk, 0):
        with refuses(InvalidInput, field="user"):
            actions.transfer_calendar(calendar, by=mina, to=unfit)


def test_who_was_the_owner_a_moment_ago_hands_over_and_deletes_nothing(mina, sam):
    build.calendar(owner=mina, participants=[sam])
    first, second = (Calendar.objects.get() for _ in range(2))
    Calendar.objects.update(owner=sam)

    with refuses(NotAllowed):
        actions.transfer_calendar(first, by=mina, to=mina.pk)
    with refuses(NotAllowed):
        actions.delete_calendar(second, by=mina)


def test_a_calendar_handed_over_twice_tells_of_each(mina, sam, post):
    calendar = build.calendar(owner=mina, participants=[sam])

    for by, to in ((mina, sam), (sam, mina), (mina, sam)):
        calendar = actions.transfer_calendar(calendar, by=by, to=to.pk)

    assert post.told() == ["handed_over mina", "handed_over sam", "handed_over sam"]
    assert [mail.to for mail in post.deliver()] == [
        "sam@example.org",
        "sam@example.org",
    ]  # Mina's is not true any more
