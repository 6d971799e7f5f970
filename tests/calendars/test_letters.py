"""The letters about calendars: each notice becomes one, and whether its reader may still know is
asked again when it is sent.
"""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.utils import translation

from commontime.accounts import tasks as account_tasks
from commontime.accounts.models import Mute, UserSetting
from commontime.calendars import actions, queries
from commontime.calendars.enums import MailKind
from commontime.calendars.exchange import Snapshot
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting
from commontime.calendars.tasks import composers, notices
from commontime.core import clock
from commontime.core.errors import InvalidInput, NotAllowed, NotFound, TooMany
from commontime.mail import delivery, outbox
from commontime.mail.models import Message
from tests import build
from tests.calendars.cast import refuses

pytestmark = pytest.mark.django_db
TEN, NOON = build.day(10), build.day(12)


@pytest.fixture
def calendar(mina, sam):
    return build.calendar(owner=mina, participants=[sam])


def switch(user, name: str) -> None:
    UserSetting.objects.filter(user=user).update(**{name: False})


def edit(meeting, **changes):
    meeting = queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)
    return actions.edit_meeting(meeting, by=meeting.calendar.owner, **changes)[0]


def remove(user, calendar) -> None:
    seat = queries.people.participants_of(calendar).get(user=user)
    seat.calendar = calendar
    actions.remove_participant(seat, by=calendar.owner)


# Every notice has its letter ----------------------------------------------------------------------


def one_of_each(mina, sam) -> None:
    """Do what posts every kind of notice this room knows."""
    iris, eve = build.user("iris"), build.user("eve")
    calendar = build.calendar(owner=mina, participants=[sam], name="Choir")
    meeting = edit(build.meeting(calendar=calendar, title="Talk"), final_time=TEN)
    actions.remove_window(build.window(calendar, sam, TEN, NOON), by=sam)
    actions.add_participant(calendar, by=mina, user=iris.pk)
    invitation = actions.invite_person(calendar.pk, by=mina, receiver=eve.pk)
    actions.accept_invitation(invitation.pk, by=eve)
    actions.invite_person(calendar.pk, by=mina, receiver=build.user("bao").pk)
    actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    remove(iris, calendar)
    actions.finish_deadline(
        build.meeting(calendar=calendar, deadline=clock.now() - timedelta(seconds=1))
    )
    actions.send_letter(by=sam, username="mina", calendar_id=calendar.pk, note="See you")
    other = edit(build.meeting(calendar=calendar, title="Speech"), final_time=NOON)
    edit(other, final_time=None)
    edit(build.meeting(calendar=calendar, title="Moved", final_time=TEN), final_time=NOON)
    gone = edit(build.meeting(calendar=calendar, title="Gone"), final_time=NOON)
    actions.delete_meeting(gone, by=mina)
    actions.delete_calendar(build.calendar(owner=mina, participants=[sam], name="Band"), by=mina)
    actions.edit_calendar(Calendar.objects.get(pk=calendar.pk), by=mina, is_finalized=True)
    actions.transfer_calendar(Calendar.objects.get(pk=calendar.pk), by=mina, to=sam.pk)
    assert meeting.final_time


def test_every_kind_of_notice_is_posted_and_renders(mina, sam, post):
    kinds = {
        kind
        for kind in delivery._composers
        if delivery._composers[kind].__module__ == composers.__name__
    }

    one_of_each(mina, sam)
    posted = set(Message.objects.values_list("kind", flat=True))

    assert posted == kinds
    # Handed over since: the owner is another now, and these are not theirs any more.
    mails = post.deliver()
    unsent = set(Message.objects.filter(state="dropped").values_list("kind", flat=True))
    assert unsent <= {"accepted", "attendee_lost", "deadline", "request", "added", "invitation"}
    assert len(mails) > 12
    for mail in mails:
        assert mail.subject
        assert "{" not in mail.text
        assert not re.search(r"None|datetime|Object", mail.text)


WITHOUT_AN_ACCOUNT = {"invitation_by_email", "account_deleted"}
OURS = sorted(
    kind
    for kind, write in delivery._composers.items()
    if write.__module__ in (composers.__name__, account_tasks.__name__)
)


@pytest.mark.parametrize("kind", [kind for kind in OURS if kind not in WITHOUT_AN_ACCOUNT])
def test_a_letter_to_nobody_is_none(kind):
    """An account that is gone takes its messages along; should one be left, it says nothing to
    anybody.
    """
    meeting = build.meeting(final_time=TEN)
    payload = {
        "invitation": str(build.invitation(meeting.calendar, build.user()).pk),
        "calendar": str(meeting.calendar_id),
        "meeting": str(meeting.pk),
        "meetings": [Snapshot.of(meeting).as_payload()],
        "earlier": TEN.isoformat(),
        **dict.fromkeys(("person", "by", "sender"), meeting.calendar.owner_id),
    }
    message = Message(
        kind=kind,
        event="x",
        recipient="x@example.org",
        payload=payload,
        due_at=clock.now(),
        created_at=clock.now(),
    )
    if kind in ("cancelled", "withdrawn"):
        message.payload = payload["meetings"][0]

    assert delivery._composers[kind](message) is None


# What is asked again ------------------------------------------------------------------------------


def test_of_a_meeting_that_moved_on_only_the_newest_goes_out(sam, calendar, post):
    meeting = build.meeting(calendar=calendar)
    for hour in (10, 11, 12):
        edit(meeting, final_time=build.day(hour))

    (mail,) = post.deliver_to("sam")

    event = mail.documents[0].components[0]
    assert (event.one("SEQUENCE").value, event.one("DTSTART").value) == (
        "2",
        f"{NOON:%Y%m%dT%H%M%SZ}",
    )
    assert sorted(Message.objects.filter(user=sam).values_list("sequence", "state")) == [
        (0, "dropped"),
        (1, "dropped"),
        (2, "sent"),
    ]


def test_a_meeting_withdrawn_before_anybody_heard_of_it_is_only_cancelled(sam, calendar, post):
    meeting = edit(build.meeting(calendar=calendar), final_time=TEN)
    edit(meeting, final_time=None)

    (mail,) = post.deliver_to("sam")

    assert mail.documents[0].one("METHOD").value == "CANCEL"


def test_a_late_mail_tells_what_is_true_when_it_goes_out(mina, sam, calendar, post, iris):
    """Somebody else left in the meantime: the sequence is larger, the meeting is the same."""
    build.participant(calendar, iris)
    meeting = edit(build.meeting(calendar=calendar), final_time=TEN)
    remove(iris, Calendar.objects.get())

    (mail,) = post.deliver_to("sam")

    assert (
        mail.documents[0].components[0].one("SEQUENCE").value
        == "1"
        == str(Meeting.objects.get(pk=meeting.pk).sequence)
    )


def test_who_was_removed_before_a_request_went_out_gets_none(sam, calendar, post):
    edit(build.meeting(calendar=calendar), final_time=TEN)
    CalendarParticipant.objects.filter(user=sam).delete()

    assert post.deliver_to("sam") == []


def test_who_is_not_in_a_meeting_any_more_gets_no_request_of_it(mina, sam, calendar, post):
    meeting = edit(build.meeting(calendar=calendar), final_time=TEN)
    edit(meeting, required=[mina.pk])

    (mail,) = post.deliver_to("sam")

    assert mail.documents[0].one("METHOD").value == "CANCEL"


@pytest.mark.parametrize("gone", ["deactivated", "deleted"])
def test_who_is_gone_gets_nothing(sam, calendar, post, gone):
    edit(build.meeting(calendar=calendar), final_time=TEN)
    if gone == "deactivated":
        type(sam).objects.filter(pk=sam.pk).update(is_active=False)
    else:
        sam.delete()

    assert post.deliver_to("sam") == []


def test_who_switched_mails_about_meetings_off_gets_none_of_them(mina, sam, calendar, post):
    switch(sam, "mail_meetings")
    meeting = edit(build.meeting(calendar=calendar), final_time=TEN)
    edit(meeting, final_time=NOON)
    edit(meeting, final_time=None)
    actions.edit_calendar(Calendar.objects.get(), by=mina, is_finalized=True)

    assert [mail.to for mail in post.deliver()] == ["mina@example.org"] * 2


def test_what_must_be_known_has_no_switch(mina, sam, post):
    for name in ("mail_meetings", "mail_invitations", "mail_reminders"):
        switch(sam, name)
    one, other, third = (
        build.calendar(owner=mina, participants=[sam], name=name) for name in "abc"
    )
    remove(sam, one)
    actions.delete_calendar(other, by=mina)
    actions.transfer_calendar(third, by=mina, to=sam.pk)

    assert len(post.deliver_to("sam")) == 3


def test_a_calendar_reopened_before_its_mail_went_out_is_not_called_final(mina, calendar, post):
    for is_finalized in (True, False):
        actions.edit_calendar(Calendar.objects.get(), by=mina, is_finalized=is_finalized)

    assert post.deliver() == []


def test_mails_come_in_the_readers_own_words(mina, sam, calendar, post):
    UserSetting.objects.filter(user=sam).update(
        locale="de", time_zone="Australia/Lord_Howe", hour_cycle="h12"
    )
    edit(build.meeting(calendar=calendar, title="Talk"), final_time=TEN)

    (mail,) = post.deliver_to("sam")

    assert "(Australia/Lord_Howe)" in mail.text
    assert "9:00 nachm." in mail.text
    assert translation.get_language() == "en"


# Nobody learns another's address (ML-12) ----------------------------------------------------------


def test_thirty_people_learn_each_others_addresses_from_no_mail(mina, post, settings):
    settings.LIMITS = {**settings.LIMITS, "mail_receiver": (100, 86400)}
    people = [build.user() for _ in range(30)]
    calendar = build.calendar(owner=mina, participants=people)
    for person in people[:5]:
        build.window(calendar, person, TEN, NOON)
    edit(build.meeting(calendar=calendar), final_time=TEN)
    everyone = [mina.email, *(person.email for person in people)]

    mails = post.deliver()

    assert len(mails) == 31
    for mail in mails:
        said = unquote(mail.everything.replace("=\n", ""))
        assert [address for address in everyone if address in said] == [mail.to]


# From one person to another -----------------------------------------------------------------------


def about_something(calendar, user, kind: str) -> None:
    """Let there be what a letter of this kind is about."""
    if kind == "invitation":
        calendar.participants.filter(user=user).delete()
        build.invitation(calendar, user)
    if kind == "final":
        build.meeting(calendar=calendar, title="Talk", final_time=TEN)


@pytest.mark.parametrize("kind", MailKind.values)
def test_a_letter_from_a_person_says_whose_it_is_and_how_to_stop_them(
    mina, sam, calendar, post, kind
):
    about_something(calendar, sam, kind)
    build.calendar(participants=[mina, sam])

    actions.send_letter(
        by=mina, username="SAM", kind=kind, calendar_id=calendar.pk, note="Bring the drum.\nPlease"
    )

    assert post.told() == ["from_person sam"]
    (mail,) = post.deliver()
    assert "Mina" in mail.text
    assert "> Bring the drum.\n> Please" in mail.text
    assert "Choir" in mail.text + mail.subject
    assert mail.content["List-Unsubscribe"]
    assert ("10:00–11:00" in mail.text) == (kind == "final")


def test_a_reminder_without_a_calendar_goes_to_anybody(mina, post):
    build.user("eve")

    actions.send_letter(by=mina, username="eve")

    assert [mail.to for mail in post.deliver()] == ["eve@example.org"]


def test_a_letter_is_refused_by_name(mina, sam, calendar):
    eve, gone = build.user("eve"), build.user("gone", is_active=False)
    foreign = build.calendar(owner=eve)

    with refuses(NotFound):
        actions.send_letter(by=mina, username="nobody")
    with refuses(NotFound):
        actions.send_letter(by=mina, username=gone.username)
    with refuses(InvalidInput, field="kind"):
        actions.send_letter(by=mina, username="sam", kind="spam")
    with refuses(InvalidInput, field="note"):
        actions.send_letter(by=mina, username="sam", note="x" * 501)
    with refuses(InvalidInput, field="note"):
        actions.send_letter(by=mina, username="sam", note="esc\x1b[31m")
    with refuses(InvalidInput, field="calendar"):
        actions.send_letter(by=mina, username="sam", calendar_id=foreign.pk)
    with refuses(NotAllowed, "no_shared_calendar"):
        actions.send_letter(by=mina, username="eve", note="Hello stranger")


def test_guessing_names_is_limited_here_too(mina, sam, settings):
    settings.LIMITS = {
        **settings.LIMITS,
        "look_up": (3, 3600),
        "mail_pair": (100, 86400),
        "mail_receiver": (100, 86400),
    }

    for _ in range(5):
        actions.send_letter(by=mina, username="sam")
    for number in range(3):
        with refuses(NotFound):
            actions.send_letter(by=mina, username=f"guess{number}")
    with refuses(TooMany):
        actions.send_letter(by=mina, username="guess")
    actions.send_letter(by=mina, username="sam")


def test_who_muted_the_sender_gets_nothing_and_the_sender_sees_nothing(mina, sam, calendar, post):
    Mute.objects.create(user=sam, sender=mina)

    actions.send_letter(by=mina, username="sam", calendar_id=calendar.pk, note="Hello?")

    assert post.told() == ["from_person sam"]
    assert post.deliver() == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("reminder", "mail_reminders"),
        ("invitation", "mail_invitations"),
        ("final", "mail_invitations"),
    ],
)
def test_a_kind_that_is_switched_off_is_not_sent(mina, sam, calendar, post, kind, name):
    switch(sam, name)
    about_something(calendar, sam, kind)

    actions.send_letter(by=mina, username="sam", kind=kind, calendar_id=calendar.pk)

    assert post.deliver() == []


@pytest.mark.parametrize("who", ["mina", "sam"])
def test_who_shares_the_calendar_no_more_when_it_is_sent_says_and_hears_nothing_of_it(
    mina, sam, who, post
):
    calendar = build.calendar(participants=[mina, sam], name="Secret choir")
    actions.send_letter(by=mina, username="sam", calendar_id=calendar.pk)
    actions.send_letter(by=mina, username="sam", note="A word")
    CalendarParticipant.objects.filter(user__username=who).delete()

    assert post.deliver() == []


def test_the_final_times_are_not_for_who_is_only_invited(mina, calendar, post, iris):
    build.invitation(calendar, iris)
    build.meeting(calendar=calendar, title="Secret talk", final_time=TEN)

    for kind in ("reminder", "invitation"):
        actions.send_letter(by=mina, username="iris", kind=kind, calendar_id=calendar.pk)
    with refuses(InvalidInput, field="calendar"):
        actions.send_letter(by=mina, username="iris", kind="final", calendar_id=calendar.pk)

    mails = post.deliver()
    assert len(mails) == 2
    assert not [mail for mail in mails if "Secret talk" in mail.everything]


def test_a_sender_who_was_deactivated_sends_nothing(mina, sam, post):
    actions.send_letter(by=mina, username="sam")
    type(mina).objects.filter(pk=mina.pk).update(is_active=False)

    assert post.deliver() == []


def test_posting_is_part_of_the_change(mina, sam, calendar, monkeypatch):
    """What fails after its mails were posted posted none (ML-07)."""

    def fail(*_args, **_kwargs):
        raise RuntimeError("the power went")

    monkeypatch.setattr(
        notices, "tell_calendar_finalized", lambda calendar, roster: (outbox.post([]), fail())
    )
    build.meeting(calendar=calendar, final_time=TEN)

    with pytest.raises(RuntimeError):
        actions.edit_calendar(calendar, by=mina, name="Band", is_finalized=True)

    assert not Message.objects.exists()
    assert Calendar.objects.get().name == "Choir"
