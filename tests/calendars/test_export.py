"""The export has all that is stored about a person, as each kind of thing shows it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.db.models import F

from commontime.accounts.actions import sign_ins
from commontime.accounts.enums import Door
from commontime.accounts.models import Mute, Session
from commontime.calendars import queries
from commontime.calendars.models import Calendar, CalendarParticipant, ScheduleSuggestion
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.core.clients import Client
from commontime.mail.models import Message
from tests import build

pytestmark = pytest.mark.django_db
ODD = datetime(
    2026, 3, 29, 1, 2, 3, 40500, UTC
)  # its fraction is written in six digits, or in four
NAME = 'Chœur "Ü" \\ 🎵\n'


def export_of(user):
    told = queries.export.everything_about(user)
    assert told.pop("exported_at") <= clock.now()
    return msgspec.json.decode(msgspec.json.encode(told))


def one_by_one(user):
    """The slow twin: a query for each part."""
    calendar = (
        "id",
        "name",
        "description",
        "location",
        "time_zone",
        "is_finalized",
        "visibility",
        "window_start",
        "window_end",
    )
    told = {
        "sessions": user.session_set.order_by("created_at").values(
            "door", "created_at", "used_at", "ended_at", "user_agent", "address"
        ),
        "muted": Mute.objects.filter(user=user)
        .order_by("sender__username")
        .values_list("sender__username", flat=True),
        "contacts": Contact.objects.filter(owner=user, contactee__is_active=True)
        .order_by("contactee__username")
        .values(username=F("contactee__username"), since=F("created_at")),
        "owned_calendars": user.owned_calendars.order_by("created_at").values(
            *calendar, "created_at"
        ),
        "participations": user.participations.order_by("joined_at").values(
            "calendar_id", "calendar__name", "required", "joined_at", "agreed_at"
        ),
        "non_busy_times": user.non_busy_times.order_by("start_time").values(
            "id", "calendar_id", "start_time", "end_time", "preference_level"
        ),
        "suggestions": ScheduleSuggestion.objects.filter(author=user)
        .order_by("created_at")
        .values("meeting_id", "suggested_time"),
        "invitations_received": user.received_invitations.order_by("created_at").values(
            "calendar_id", "status", "created_at"
        ),
        "invitations_sent": user.sent_invitations.order_by("created_at").values(
            "calendar_id", "email", "status", "created_at"
        ),
        "emails": Message.objects.filter(user=user)
        .exclude(text="")
        .values("subject", "text", sent_at=F("settled_at")),
    }
    return msgspec.json.decode(
        msgspec.json.encode({part: list(rows) for part, rows in told.items()})
    )


def test_it_is_everything(django_assert_num_queries):
    mina, sam, iris, gone = (build.user(name) for name in ("mina", "sam", "iris", "gone"))
    choir = build.calendar(
        owner=mina,
        participants=[sam],
        name=NAME,
        window_start=ODD,
        window_end=ODD + timedelta(days=9),
    )
    band = build.calendar(owner=sam, participants=[mina], is_finalized=True)
    second = build.calendar(owner=mina)
    CalendarParticipant.objects.filter(calendar=band, user=mina).update(required=False)
    Calendar.objects.filter(pk=second.pk).update(created_at=ODD)  # before the other
    for each, start in ((choir, ODD + timedelta(hours=2)), (band, build.day(9)), (choir, ODD)):
        build.window(each, mina, start, start + timedelta(minutes=40), preference=0)
    build.window(choir, sam, ODD, ODD + timedelta(hours=1))
    build.suggestion(build.meeting(calendar=choir), mina, build.day(10))
    build.invitation(choir, iris)
    build.invitation(build.calendar(owner=sam), mina, status="declined")
    choir.invitations.create(sender=mina, email="new@example.org")
    for person in (sam, iris, gone):
        Mute.objects.create(user=mina, sender=person)
        Contact.objects.create(owner=mina, contactee=person, created_at=ODD)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    sign_ins.open_session(mina, door=Door.API, client=Client(user_agent=NAME))
    Session.objects.filter(
        pk=sign_ins.open_session(mina, door=Door.WEB, client=Client()).session.pk
    ).update(ended_at=ODD)

    for number, person in enumerate((mina, sam, mina)):
        Message.objects.create(
            kind="note",
            event=f"note:{number}",
            recipient=person.email,
            user=person,
            due_at=ODD,
            created_at=ODD,
            settled_at=ODD,
            text=NAME if number < 2 else "",  # the last one went to a mail server
        )

    with django_assert_num_queries(11):
        told = export_of(mina)

    assert told == one_by_one(mina)
    assert list(told) == list(one_by_one(mina))
    assert {part: len(rows) for part, rows in told.items()} == {
        "sessions": 2,
        "muted": 3,
        "contacts": 2,
        "owned_calendars": 2,
        "participations": 3,
        "non_busy_times": 3,
        "suggestions": 1,
        "invitations_received": 1,
        "invitations_sent": 2,
        "emails": 1,
    }


def test_somebody_new_has_nothing():
    assert set(map(len, export_of(build.user("eve")).values())) == {0}
