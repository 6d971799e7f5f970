"""Builders: they name only what matters to a test. The cast: Mina owns, Sam takes part, Iris is
invited, Eve is a stranger.
"""

from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from commontime.accounts import queries as accounts
from commontime.accounts.actions import passwords, profiles, sign_ins
from commontime.accounts.enums import Door
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.core import clock
from commontime.core.clients import Client
from stage.callers import PASSWORD
from stage.times import day as day

_numbers = count(1)


def user(name: str = "", *, password: str = PASSWORD, **fields: Any) -> User:
    """An account. Without a name it gets one of its own."""
    name = name or f"person{next(_numbers)}"
    setting = {key: fields.pop(key) for key in list(fields) if not hasattr(User, key)}
    fields = {
        "username": name,
        "email": f"{name}@example.org",
        "first_name": name.title(),
        "last_name": "",
        **fields,
    }
    is_active = fields.pop("is_active", True)
    with patch.object(passwords, "make_password", _hash):
        made = profiles.create_account(**fields, password=password)
    if setting:
        type(made.usersetting).objects.filter(user=made).update(**setting)
    if not is_active:
        User.objects.filter(pk=made.pk).update(is_active=False)
    return User.objects.select_related("usersetting").get(pk=made.pk)


def _hash(password: str) -> str:
    return _hashed(password, settings.PASSWORD_HASHERS[0])


@cache
def _hashed(password: str, hasher: str) -> str:
    """Hash a password once for everybody who has it; each hash takes 27 ms."""
    return make_password(password)


def sign_in(person: User) -> accounts.SignIn:
    """A sign-in that a request of the person comes with, opened just now."""
    session = sign_ins.open_session(person, door=Door.API, client=Client()).session
    signed_in = accounts.signed_in(session.pk, epoch=session.epoch)
    assert signed_in is not None
    return signed_in[0]


def calendar(
    *, owner: User | None = None, participants: Any = (), name: str = "Choir", **fields: Any
) -> Calendar:
    """A calendar. Its participants are together with the owner, as if they had accepted."""
    made = Calendar.objects.create(owner=owner or user(), name=name, **fields)
    for person in (made.owner, *participants):
        participant(made, person)
    made.refresh_from_db()
    return made


def participant(calendar: Calendar, person: User, **fields: Any) -> CalendarParticipant:
    """Somebody who accepted. With `agreed_at=None` the owner added them, and they did nothing."""
    fields = {"agreed_at": clock.now(), **fields}
    return CalendarParticipant.objects.create(calendar=calendar, user=person, **fields)


def window(
    calendar: Calendar, person: User, start: datetime, end: datetime, preference: int = 5
) -> NonBusyTime:
    return NonBusyTime.objects.create(
        calendar=calendar, user=person, start_time=start, end_time=end, preference_level=preference
    )


def meeting(
    *, calendar: Calendar | None = None, required: Any = (), optional: Any = (), **fields: Any
) -> Meeting:
    from commontime.calendars import queries

    fields.setdefault("deadline", clock.now() + timedelta(days=7))
    fields.setdefault("for_everyone", not (required or optional))
    made = Meeting.objects.create(calendar=calendar or globals()["calendar"](), **fields)
    for people, is_required in ((required, True), (optional, False)):
        for person in people:
            MeetingAttendee.objects.create(meeting=made, user=person, required=is_required)
    return queries.meetings.with_attendees().select_related("calendar__owner").get(pk=made.pk)


def group(meeting: Meeting) -> Any:
    """Whom the meeting is for, as `planning` takes them."""
    from commontime.calendars import queries
    from commontime.calendars.planning import groups

    return groups.group_for(meeting, queries.people.roster_of(meeting.calendar))


def suggestion(meeting: Meeting, author: User, start: datetime) -> ScheduleSuggestion:
    return ScheduleSuggestion.objects.create(meeting=meeting, author=author, suggested_time=start)


def invitation(calendar: Calendar, receiver: User, **fields: Any) -> Invitation:
    return Invitation.objects.create(
        calendar=calendar, sender=calendar.owner, receiver=receiver, **fields
    )
