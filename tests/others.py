"""A database full of other people's rows, so that a statement that reads them is noticed."""

from datetime import timedelta
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as WebSession
from django.db import connection, models

from commontime.accounts.models import KnownNetwork, Mute, Session, UserSetting
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    Plan,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.core.models import RememberedAnswer, Throttle
from commontime.mail.enums import State
from commontime.mail.models import Message
from tests import build

ACCOUNTS = 2000  # and as many calendars
GROWING = (
    User,
    UserSetting,
    Session,
    WebSession,
    KnownNetwork,
    Mute,
    Contact,
    Calendar,
    CalendarParticipant,
    NonBusyTime,
    Meeting,
    MeetingAttendee,
    ScheduleSuggestion,
    Plan,
    Invitation,
    Message,
    RememberedAnswer,
    Throttle,
)


def fill() -> None:
    """Store what thousands of people have that nobody in the test has anything to do with.

    Of each kind there is enough in whatever state a statement may look for, but nothing is due.
    """
    now, hour, day = clock.now(), timedelta(hours=1), timedelta(days=1)
    people = User.objects.bulk_create(
        User(username=f"other{n}", email=f"other{n}@example.net", first_name="Other", password="!")
        for n in range(ACCOUNTS)
    )
    settings = (
        UserSetting(user=user, username_key=user.username, email_key=user.email) for user in people
    )
    store(settings)
    store(
        Session(
            user=user,
            door=door,
            epoch="",
            created_at=now,
            used_at=now,
            ends_at=now + 30 * day,
            ended_at=now - hour if n % 2 else None,
        )
        for n, user in enumerate(people)
        for door in ("api", "web")
    )
    store(
        WebSession(session_key=f"other{n}", session_data="", expire_date=now + day)
        for n in range(ACCOUNTS)
    )
    pairs = list(zip(people, people[1:] + people[:1], people[2:] + people[:2], strict=True))
    store(
        KnownNetwork(user=user, network_hash=f"other{n}", used_at=now)
        for n, user in enumerate(people)
    )
    store(Mute(user=user, sender=other) for user, other, _ in pairs)
    store(
        Contact(owner=user, contactee=contact, created_at=now)
        for user, *contacts in pairs
        for contact in contacts
    )
    store(RememberedAnswer(user=user, key="k", fingerprint="", created_at=now) for user in people)
    store(Throttle(key=f"other{n}", started=int(now.timestamp()), used=1) for n in range(ACCOUNTS))
    calendars = Calendar.objects.bulk_create(
        Calendar(owner=user, name=f"Calendar {n}") for n, user in enumerate(people)
    )
    seats = [
        CalendarParticipant(calendar=calendar, user=person)
        for calendar, trio in zip(calendars, pairs, strict=True)
        for person in trio
    ]
    store(seats)
    store(
        NonBusyTime(
            calendar_id=seat.calendar_id,
            user_id=seat.user_id,
            start_time=build.day(9),
            end_time=build.day(12),
        )
        for seat in seats
    )
    store_meetings(calendars, people)
    store_invitations(calendars, people)
    store_mails(people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def store_meetings(calendars: list[Calendar], people: list[User]) -> None:
    """Open, scheduled, and waiting for their owners since their deadline, some for few people."""
    now, day = clock.now(), timedelta(days=1)
    meetings = Meeting.objects.bulk_create(
        Meeting(calendar=calendar, for_everyone=n % 2 == 0, **times)
        for n, calendar in enumerate(calendars)
        for times in (
            {"deadline": now + day},
            {"deadline": now + day, "final_time": build.day(19)},
            {"deadline": now - day, "announced_at": now},
        )
    )
    for_few = [meeting for meeting in meetings if not meeting.for_everyone]
    store(
        MeetingAttendee(meeting=meeting, user_id=meeting.calendar.owner_id) for meeting in for_few
    )
    store(
        ScheduleSuggestion(
            meeting=meeting, author_id=meeting.calendar.owner_id, suggested_time=build.day(10)
        )
        for meeting in meetings[::3]
    )
    store(
        Plan(calendar=calendar, question={}, basis="", created_at=now, status=status)
        for calendar, status in zip(calendars, ("done", "running") * len(calendars), strict=False)
    )


def store_invitations(calendars: list[Calendar], people: list[User]) -> None:
    now = clock.now()
    rows = zip(calendars, people, people[7:] + people[:7], people[9:] + people[:9], strict=True)
    store(
        Invitation(
            calendar=calendar, sender=sender, receiver=receiver, status=status, answered_at=now
        )
        for calendar, sender, *receivers in rows
        for receiver, status in zip(receivers, ("pending", "accepted"), strict=True)
    )
    store(
        Invitation(calendar=calendar, sender=sender, email=f"address{n}@example.net")
        for n, (calendar, sender) in enumerate(zip(calendars, people, strict=True))
    )


def store_mails(people: list[User]) -> None:
    """Sent, dropped, to be tried again, and held because their server is away, none of them due."""
    now, hour = clock.now(), timedelta(hours=1)
    states: list[dict[str, Any]] = [
        {"state": State.SENT, "settled_at": now},
        {"state": State.DROPPED, "settled_at": now},
        {"state": State.QUEUED, "due_at": now + hour, "attempts": 3},
    ]
    store(
        Message(
            kind="request",
            event=f"meeting:other{user.pk}",
            recipient=user.email,
            user=user,
            sequence=sequence,
            created_at=now,
            **{"due_at": now, **state},
        )
        for user in people
        for sequence, state in enumerate(states)
    )


def store(objects: Any) -> None:
    objects = iter(objects)
    while batch := list(islice(objects, 5000)):
        model: type[models.Model] = type(batch[0])
        model._default_manager.bulk_create(batch)
