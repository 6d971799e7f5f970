from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts.actions import find
from commontime.calendars import queries, tasks
from commontime.calendars.enums import MailKind
from commontime.core import text
from commontime.core.errors import InvalidInput, NotAllowed

LONGEST_NOTE = 500


def send_letter(*, by: User, username: str, kind: str = MailKind.REMINDER, calendar_id: UUID | None = None, note: str = "") -> None:
    """Have one of our fixed letters mailed to a person. That they muted the sender is told to nobody: it is dropped when it is due."""
    receiver = find(username, by=by)
    if kind not in MailKind.values:
        raise InvalidInput(_("Choose one of: %(choices)s.") % {"choices": ", ".join(MailKind.values)}, field="kind")
    note = text.many_lines(note, field="note", longest=LONGEST_NOTE)
    if note and not queries.share_a_calendar(by, receiver):
        raise NotAllowed(_("A note can go only to people with whom you share a calendar."), code="no_shared_calendar")
    calendar = None if calendar_id is None else queries.calendar_named(by, calendar_id)
    with transaction.atomic():
        tasks.count_letter(by.pk, receiver.email)
        tasks.tell_from_person(by, receiver, kind=MailKind(kind), calendar=calendar, note=note)
