"""Deleting one's account: what becomes of one's calendars, and of one's part in those of others."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.accounts.actions import sign_ins
from commontime.accounts.enums import Door
from commontime.calendars import actions
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    MeetingAttendee,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts.actions import add_contact
from commontime.contacts.models import Contact
from commontime.core.clients import Client
from commontime.core.errors import InvalidInput
from commontime.mail.models import Message
from tests import build
from tests.calendars.cast import refuses

pytestmark = pytest.mark.django_db
TEN = build.day(10)


def signed_in(user: User):
    return sign_ins.open_session(user, door=Door.API, client=Client()).session.pk


def delete(user: User, **how) -> None:
    actions.delete_account(
        user, by=user, session_id=how.pop("session_id", None) or signed_in(user), **how
    )


def test_ones_calendars_go_and_each_attendee_gets_one_mail_that_cancels(mina, sam, post, iris):
    """DE-02."""
    choir = build.calendar(owner=mina, participants=[sam, iris], name="Choir")
    build.meeting(calendar=choir, final_time=TEN, title="For all")
    build.meeting(calendar=choir, final_time=build.day(12), title="For Iris", required=[mina, iris])
    build.calendar(owner=mina, participants=[sam], name="Band")
    kept = build.calendar(owner=sam, participants=[mina])

    delete(mina)

    assert list(Calendar.objects.all()) == [kept]
    assert not User.objects.filter(pk=mina.pk).exists()
    assert post.told() == ["account_deleted mina", "deleted iris", "deleted sam", "deleted sam"]
    cancelled = {
        (mail.to.partition("@")[0], mail.subject): len(mail.documents) for mail in post.deliver()
    }
    assert cancelled["iris", "Choir has been deleted"] == 2
    assert cancelled["sam", "Choir has been deleted"] == 1
    assert cancelled["sam", "Band has been deleted"] == 0


def test_an_heir_takes_all_ones_calendars_over_and_hears_of_each(mina, sam, post):
    calendars = [
        build.calendar(owner=mina, participants=[sam], name=name) for name in ("Choir", "Band")
    ]
    meeting = build.meeting(calendar=calendars[0], final_time=TEN)
    waiting = build.invitation(calendars[0], build.user("iris"))
    versions = {calendar.pk: calendar.version for calendar in calendars}

    delete(mina, transfer_to=sam.pk)

    for calendar in calendars:
        now = Calendar.objects.get(pk=calendar.pk)
        assert now.owner == sam
        assert now.version > versions[calendar.pk]
        assert [seat.user for seat in now.participants.all()] == [sam]
    assert meeting.calendar.meetings.get().final_time == TEN
    assert Invitation.objects.get(pk=waiting.pk).sender == sam  # it outlives her
    assert post.told() == ["account_deleted mina", "handed_over sam", "handed_over sam"]
    assert sorted(mail.subject for mail in post.deliver_to("sam")) == [
        "You now organise Band",
        "You now organise Choir",
    ]


def test_an_heir_takes_part_in_every_calendar_or_nothing_is_deleted(mina, sam):
    build.calendar(owner=mina, participants=[sam])
    build.calendar(owner=mina)
    gone = build.user("gone", is_active=False)
    session = signed_in(mina)

    for unfit in (sam.pk, mina.pk, gone.pk, 0):
        with refuses(InvalidInput, field="transfer_to"):
            delete(mina, transfer_to=unfit, session_id=session)


def test_who_owns_nothing_needs_no_heir(mina):
    delete(mina, transfer_to=0)

    assert not User.objects.exists()


def test_a_sign_in_that_is_not_ones_own_or_has_ended_deletes_nothing(mina, sam):
    foreign, ended = signed_in(sam), signed_in(mina)
    type(mina.session_set.get()).objects.filter(pk=ended).update(ended_at=TEN)

    for session in (foreign, ended):
        with refuses(InvalidInput, field="refresh_token"):
            delete(mina, session_id=session)


def test_in_other_peoples_calendars_what_was_ones_own_goes_and_what_was_said_stays(mina, sam, post):
    """DE-03, DE-04."""
    calendar = build.calendar(owner=mina, participants=[sam])
    build.window(calendar, sam, TEN, build.day(11))
    build.window(calendar, mina, TEN, build.day(11))
    past = build.meeting(calendar=calendar, final_time=build.day(10, days=-3), required=[mina, sam])
    suggestion = build.suggestion(build.meeting(calendar=calendar), sam, TEN)
    build.invitation(build.calendar(owner=mina), sam)
    build.invitation(build.calendar(owner=sam), mina)
    add_contact(sam, by=mina)
    add_contact(mina, by=sam)

    delete(sam)

    assert [seat.user for seat in CalendarParticipant.objects.filter(calendar=calendar)] == [mina]
    assert [window.user for window in NonBusyTime.objects.all()] == [mina]
    assert ScheduleSuggestion.objects.get(pk=suggestion.pk).author is None
    assert past.calendar.meetings.filter(pk=past.pk).exists()
    assert [attendee.user for attendee in MeetingAttendee.objects.all()] == [mina]
    assert not Contact.objects.exists()
    assert not Invitation.objects.exists()
    assert post.told() == ["account_deleted sam"]


def test_of_the_mails_that_waited_only_the_goodbye_goes_out(mina, sam, post):
    """DE-07."""
    calendar = build.calendar(owner=mina, participants=[sam])
    actions.edit_meeting(build.meeting(calendar=calendar), by=mina, final_time=TEN)

    delete(sam)

    assert sorted(Message.objects.values_list("kind", "recipient")) == [
        ("account_deleted", "sam@example.org"),
        ("request", "mina@example.org"),
    ]
    assert [mail.subject for mail in post.deliver_to("sam")] == ["Your account has been deleted"]


def test_an_account_without_an_address_goes_without_a_goodbye(mina, post):
    User.objects.filter(pk=mina.pk).update(email="")

    delete(User.objects.get(pk=mina.pk))

    assert post.told() == []


def test_deleting_costs_the_same_statements_for_few_calendars_and_for_many(sam):
    counts = []
    for size in (1, 5):
        owner = build.user()
        for _ in range(size):
            calendar = build.calendar(owner=owner, participants=[sam])
            build.meeting(calendar=calendar, final_time=TEN + timedelta(hours=1))
        session = signed_in(owner)
        with CaptureQueriesContext(connection) as statements:
            delete(owner, session_id=session)
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_an_account_in_a_group_of_djangos_goes_too(mina):
    mina.groups.create(name="Staff")

    delete(mina)

    assert not User.objects.filter(pk=mina.pk).exists()
