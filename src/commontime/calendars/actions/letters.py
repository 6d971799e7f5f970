from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from commontime.accounts import queries as accounts
from commontime.calendars import queries, tasks
from commontime.calendars.enums import MailKind
from commontime.calendars.models import Calendar, CalendarParticipant
from commontime.core.errors import InvalidInput, NotAllowed

LONGEST_NOTE = 500


@transaction.atomic
def send_letter(*, by: User, username: str, kind: str = MailKind.REMINDER, calendar_id: UUID | None = None, note: str = "") -> None:
    """Have one of our fixed letters mailed to a person. That they muted the sender is told to nobody: it is dropped when it is due."""
    receiver = accounts.account_called(username)
    if kind not in MailKind.values:
        raise InvalidInput(f"Choose one of: {', '.join(MailKind.values)}.", field="kind")
    if note and not share_a_calendar(by, receiver):
        raise NotAllowed("A note can go only to people with whom you share a calendar.", code="no_shared_calendar")
    calendar = None if calendar_id is None else queries.calendar_named(by, calendar_id)
    tasks.count_letter(by.pk, receiver.email)
    tasks.tell_from_person(by, receiver, kind=MailKind(kind), calendar=calendar, note=note)


def share_a_calendar(one: User, other: User) -> bool:
    seats = CalendarParticipant.objects.filter(calendar=OuterRef("pk"))
    inside = Calendar.objects.filter(Q(owner=one) | Exists(seats.filter(user=one)))
    return inside.filter(Q(owner=other) | Exists(seats.filter(user=other))).exists()
