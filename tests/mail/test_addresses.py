"""One address has one form: in To, in the envelope and in calendar invitations."""

import pytest

from commontime.calendars import actions, queries
from commontime.mail import outbox
from commontime.mail.addresses import BadAddress, ascii_address
from commontime.mail.models import Message
from stage.sink import Received, Sink
from tests import build
from tests.ical import strict


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("sam@example.org", "sam@example.org"),
        ("sam@müller.example", "sam@xn--mller-kva.example"),
        ("sam@MÜLLER.example", "sam@xn--mller-kva.example"),
        ("sam@xn--mller-kva.example", "sam@xn--mller-kva.example"),
        ("sam@XN--MLLER-KVA.Example", "sam@xn--mller-kva.example"),
        ("Sam@Example.ORG", "Sam@example.org"),
        ("sam@straße.example", "sam@xn--strae-oqa.example"),
        ("sam@例え.テスト", "sam@xn--r8jz45g.xn--zckzah"),
        ("o'neil+x@example.org", "o'neil+x@example.org"),
        ('"sam"@example.org', "sam@example.org"),
        ('"sam smith"@example.org', '"sam smith"@example.org'),
    ],
)
def test_an_address_has_one_form(typed, address):
    assert ascii_address(typed) == address == ascii_address(address)


@pytest.mark.parametrize("typed", ["jürgen@example.org", "sam@" + "ü" * 70 + ".example", "sam"])
def test_an_address_that_has_no_such_form_is_refused(typed):
    with pytest.raises(BadAddress):
        ascii_address(typed)


def sent_for(address: str, sink: Sink) -> Received:
    """The invitation to a meeting, as the mail server got it for this address."""
    sam = build.user("sam", email=address)
    meeting = build.meeting(calendar=build.calendar(participants=[sam]))
    meeting = queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)
    actions.edit_meeting(meeting, by=meeting.calendar.owner, final_time=build.day(10))

    outbox.deliver_due()

    failed = Message.objects.exclude(state="sent").values_list("kind", "state", "error")
    assert list(failed) == []
    return next(mail for mail in sink.received if mail.message["To"].addresses[0].username == "sam")


@pytest.mark.django_db
def test_the_attendee_was_not_the_address_in_to(sink, settings):
    settings.DEFAULT_FROM_EMAIL = "Commontime <termine@bücher.example>"

    mail = sent_for("sam@müller.example", sink)

    to, sender = "sam@xn--mller-kva.example", "termine@xn--bcher-kva.example"
    assert mail.recipients == [to]
    assert mail.sender == sender
    assert [each.addr_spec for each in mail.message["To"].addresses] == [to]
    assert [each.addr_spec for each in mail.message["From"].addresses] == [sender]
    calendars = [
        part.get_content()
        for part in mail.message.walk()
        if part.get_content_type() == "text/calendar"
    ]
    event = strict.read("\r\n".join([*calendars[0].splitlines(), ""]).encode()).components[0]
    assert event.one("ATTENDEE").value == f"mailto:{to}"
    assert event.one("ORGANIZER").value == f"mailto:{sender}"
    assert max(mail.content) < 128


@pytest.mark.django_db
def test_a_changed_address_does_not_change_whom_a_waiting_invitation_is_for(sink, sam):
    meeting = build.meeting(calendar=build.calendar(participants=[sam]))
    meeting = queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)
    actions.edit_meeting(meeting, by=meeting.calendar.owner, final_time=build.day(10))
    type(sam).objects.filter(pk=sam.pk).update(email="new@example.org")

    outbox.deliver_due()

    mail = next(mail for mail in sink.received if mail.recipients == ["sam@example.org"])
    assert b"mailto:sam@example.org" in mail.content.replace(b"\r\n ", b"")
