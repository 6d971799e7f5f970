"""Adding people, saying who is required, removing them, leaving."""

import pytest

from commontime.accounts.models import Mute
from commontime.calendars import actions, queries
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
)
from commontime.contacts.actions import add_contact
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests import build
from tests.calendars.cast import changes_nothing, refuses

pytestmark = pytest.mark.django_db
TEN = build.day(10)


@pytest.fixture
def calendar(mina):
    return build.calendar(owner=mina)


def seat_of(user, calendar) -> CalendarParticipant:
    seat = CalendarParticipant.objects.get(user=user, calendar=calendar)
    return queries.people.participant_for(Calendar.objects.get(pk=calendar.pk), seat.pk)


# Add ----------------------------------------------------------------------------------------------


def test_who_is_added_takes_part_and_is_told(mina, sam, calendar, post):
    participant = actions.add_participant(calendar, by=mina, user=sam.pk, required=False)

    assert (participant.user, participant.required, participant.has_answered) == (sam, False, False)
    assert calendar.participants.get(user=sam).pk == participant.pk
    assert post.told() == ["added sam"]
    assert "Mina has added you" in post.deliver()[0].text


def test_a_pending_invitation_of_theirs_becomes_accepted(mina, sam, calendar):
    invitation = build.invitation(calendar, sam)
    elsewhere = build.invitation(build.calendar(owner=mina), sam)

    actions.add_participant(calendar, by=mina, user=sam.pk)

    assert Invitation.objects.get(pk=invitation.pk).status == "accepted"
    assert Invitation.objects.get(pk=invitation.pk).answered_at
    assert Invitation.objects.get(pk=elsewhere.pk).status == "pending"


def test_who_is_added_gets_the_meetings_to_come_that_are_for_everyone(mina, sam, calendar, post):
    to_come = build.meeting(calendar=calendar, final_time=TEN, title="To come", sequence=2)
    build.meeting(calendar=calendar, final_time=TEN, title="For Mina", required=[mina])
    build.meeting(calendar=calendar, final_time=build.day(10, days=-1), title="Past")
    build.meeting(calendar=calendar, title="Open")

    actions.add_participant(calendar, by=mina, user=sam.pk)

    assert post.told() == ["added sam", "request sam"]
    assert Meeting.objects.get(pk=to_come.pk).sequence == 3
    (request,) = [mail for mail in post.deliver() if mail.documents]
    assert request.documents[0].components[0].one("SEQUENCE").value == "3"
    assert "To come" in request.subject


def test_the_same_person_twice_is_a_conflict(mina, sam, calendar):
    actions.add_participant(calendar, by=mina, user=sam.pk)

    with refuses(Conflict, "already_participant"):
        actions.add_participant(calendar, by=mina, user=sam.pk)
    with refuses(Conflict, "already_participant"):
        actions.add_participant(calendar, by=mina, user=mina.pk)


def test_only_the_owner_adds_and_only_people_there_are(mina, sam, calendar):
    build.participant(calendar, sam)
    gone, iris = build.user("gone", is_active=False), build.user("iris")

    with refuses(NotAllowed):
        actions.add_participant(calendar, by=sam, user=iris.pk)
    for unknown in (gone.pk, 0, 2**31 - 1):
        with refuses(InvalidInput, field="user"):
            actions.add_participant(calendar, by=mina, user=unknown)


def test_who_wants_to_be_added_by_contacts_only_is_not_added_by_others(mina, calendar, post):
    sam = build.user("sam", who_may_add_me="contacts")
    add_contact(sam, by=mina)  # that she keeps him says nothing

    with refuses(NotAllowed, "invitation_required"):
        actions.add_participant(calendar, by=mina, user=sam.pk)

    add_contact(mina, by=sam)
    actions.add_participant(calendar, by=mina, user=sam.pk)
    assert calendar.participants.filter(user=sam).exists()


def test_who_is_invited_can_be_added_whatever_they_set(mina, calendar):
    sam = build.user("sam", who_may_add_me="contacts")
    build.invitation(calendar, sam)

    actions.add_participant(calendar, by=mina, user=sam.pk)

    assert calendar.participants.filter(user=sam).exists()


def test_who_takes_part_already_does_so_whatever_they_set(mina, calendar):
    sam = build.user("sam", who_may_add_me="contacts")
    build.participant(calendar, sam)

    with refuses(Conflict, "already_participant"):
        actions.add_participant(calendar, by=mina, user=sam.pk)


def test_people_are_frozen_while_a_calendar_is_finalised(mina, sam, calendar, iris):
    build.participant(calendar, sam)
    Calendar.objects.update(is_finalized=True)

    with refuses(Conflict, "calendar_finalized"):
        actions.add_participant(calendar, by=mina, user=iris.pk)
    for by in (mina, sam):
        with refuses(Conflict, "calendar_finalized"):
            actions.remove_participant(seat_of(sam, calendar), by=by)
    with refuses(Conflict, "calendar_finalized"):
        actions.edit_participant(seat_of(sam, calendar), by=mina, required=False)


def test_a_calendar_finalised_a_moment_ago_is_seen_as_finalised(mina, sam, calendar):
    Calendar.objects.update(is_finalized=True)

    with refuses(Conflict, "calendar_finalized"):
        actions.add_participant(calendar, by=mina, user=sam.pk)  # `calendar` was read before


# Required -----------------------------------------------------------------------------------------


def test_the_owner_says_who_is_required(mina, sam, calendar, post):
    build.participant(calendar, sam)

    edited = actions.edit_participant(seat_of(sam, calendar), by=mina, required=False)

    assert edited.required is False
    assert calendar.participants.get(user=sam).required is False
    assert post.told() == []


def test_saying_the_same_again_changes_nothing(mina, sam, calendar):
    build.participant(calendar, sam)

    with changes_nothing():
        actions.edit_participant(seat_of(sam, calendar), by=mina, required=True)


def test_nobody_else_says_who_is_required(mina, sam, calendar):
    build.participant(calendar, sam)

    with refuses(NotAllowed):
        actions.edit_participant(seat_of(sam, calendar), by=sam, required=False)


# Remove and leave ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["mina", "sam"], ids=["removed", "left"])
def test_who_goes_takes_their_times_along_and_is_told_once_with_a_cancel_for_each_meeting_to_come(
    who, mina, sam, calendar, post
):
    build.participant(calendar, sam)
    build.window(calendar, sam, TEN, build.day(11))
    for_all = build.meeting(calendar=calendar, final_time=TEN, sequence=2)
    named = build.meeting(calendar=calendar, final_time=TEN, required=[mina, sam])
    others = build.meeting(calendar=calendar, final_time=TEN, required=[mina])
    build.meeting(calendar=calendar, final_time=build.day(10, days=-1))
    build.meeting(calendar=calendar, optional=[sam])

    actions.remove_participant(seat_of(sam, calendar), by={"mina": mina, "sam": sam}[who])

    assert not calendar.participants.filter(user=sam).exists()
    assert not NonBusyTime.objects.exists()
    assert not MeetingAttendee.objects.filter(user=sam).exists()
    assert post.told() == ["removed sam"]
    (mail,) = post.deliver()
    events = {
        event.one("UID").value: event
        for document in mail.documents
        for event in document.components
    }
    assert {uid: event.one("SEQUENCE").value for uid, event in events.items()} == {
        str(for_all.pk): "3",
        str(named.pk): "1",
    }
    assert {event.one("STATUS").value for event in events.values()} == {"CANCELLED"}
    # What the others hear next must outdo it too, should he come back.
    assert [
        Meeting.objects.get(pk=meeting.pk).sequence for meeting in (for_all, named, others)
    ] == [3, 1, 0]


def test_a_meeting_for_somebody_who_left_is_not_one_for_everyone(mina, sam, calendar, post):
    build.participant(calendar, sam)
    meeting = build.meeting(calendar=calendar, final_time=TEN, required=[sam])

    actions.remove_participant(seat_of(sam, calendar), by=mina)

    assert post.told() == ["removed sam"]
    *_, cautions = actions.edit_meeting(
        queries.meetings.with_attendees().get(pk=meeting.pk), by=mina, final_time=build.day(12)
    )
    assert post.told() == []
    assert [caution.code for caution in cautions] == ["nobody_answered"]


def test_a_meeting_for_somebody_whose_account_is_gone_is_not_one_for_everyone(
    mina, sam, calendar, post
):
    build.participant(calendar, sam)
    meeting = build.meeting(calendar=calendar, final_time=TEN, required=[sam])
    sam.delete()

    actions.edit_meeting(
        queries.meetings.with_attendees().get(pk=meeting.pk), by=mina, final_time=build.day(12)
    )

    assert post.told() == []


def test_who_comes_back_gets_the_meetings_again_with_a_larger_sequence(mina, sam, calendar, post):
    build.participant(calendar, sam)
    meeting = build.meeting(calendar=calendar, final_time=TEN)
    actions.remove_participant(seat_of(sam, calendar), by=mina)

    actions.add_participant(calendar, by=mina, user=sam.pk)

    sequences = {
        mail.documents[0].one("METHOD").value: int(
            mail.documents[0].components[0].one("SEQUENCE").value
        )
        for mail in post.deliver()
        if mail.documents
    }
    assert (
        0
        < sequences["CANCEL"]
        < sequences["REQUEST"]
        == Meeting.objects.get(pk=meeting.pk).sequence
    )


def test_the_owner_stays(mina, calendar):
    with refuses(Conflict, "owner_stays"):
        actions.remove_participant(seat_of(mina, calendar), by=mina)


def test_nobody_removes_others_but_the_owner(mina, sam, calendar, iris):
    for person in (sam, iris):
        build.participant(calendar, person)

    for target in (iris, mina):
        with refuses(NotAllowed):
            actions.remove_participant(seat_of(target, calendar), by=sam)


def test_removing_twice_finds_nobody(mina, sam, calendar):
    build.participant(calendar, sam)
    seat = seat_of(sam, calendar)
    actions.remove_participant(seat_of(sam, calendar), by=mina)

    with refuses(NotFound):
        actions.remove_participant(seat, by=mina)
    with refuses(NotFound):
        actions.edit_participant(seat, by=mina, required=False)


# What is asked again when the mail goes out -------------------------------------------------------


def test_who_was_removed_before_the_mail_went_out_hears_only_that(mina, sam, calendar, post):
    build.meeting(calendar=calendar, final_time=TEN)
    actions.add_participant(calendar, by=mina, user=sam.pk)
    actions.remove_participant(seat_of(sam, calendar), by=mina)

    assert [mail.subject for mail in post.deliver()] == ["You’re no longer in Choir"]


@pytest.mark.parametrize("way", ["mute", "switch"])
def test_who_does_not_want_such_mails_takes_part_without_one(mina, sam, calendar, post, way):
    if way == "mute":
        Mute.objects.create(user=sam, sender=mina)
    else:
        type(sam.usersetting).objects.filter(user=sam).update(mail_invitations=False)

    actions.add_participant(calendar, by=mina, user=sam.pk)

    assert post.deliver() == []
    assert calendar.participants.filter(user=sam).exists()
