from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts.actions import names
from commontime.calendars import limits, queries, rules
from commontime.calendars.enums import MailKind
from commontime.calendars.models import Calendar
from commontime.calendars.tasks import notices
from commontime.core import text
from commontime.core.errors import InvalidInput, NotAllowed


def send_letter(
    *,
    by: User,
    username: str,
    kind: str = MailKind.REMINDER,
    calendar_id: UUID | None = None,
    note: str = "",
) -> None:
    """Have one of our fixed letters mailed to a person. That they muted the sender is told to
    nobody: it is dropped when it is due.
    """
    receiver = names.find(username, by=by)
    if kind not in MailKind.values:
        raise InvalidInput(
            _("Choose one of: %(choices)s.") % {"choices": ", ".join(MailKind.values)}, field="kind"
        )
    note = text.many_lines(note, field="note", longest=limits.NOTE)
    calendar = None if calendar_id is None else queries.calendars.calendar_named(by, calendar_id)
    if calendar is None and kind != MailKind.REMINDER:
        raise InvalidInput(_("Name the calendar this is about."), field="calendar")
    seated = calendar is not None and _require_subject(MailKind(kind), calendar, by, receiver)
    if note and not seated and not queries.calendars.share_a_calendar(by, receiver):
        raise NotAllowed(
            _("You can send a note only to people you share a calendar with."),
            code="no_shared_calendar",
        )
    with transaction.atomic():
        notices.count_letter(by.pk, receiver.email)
        notices.tell_from_person(by, receiver, kind=MailKind(kind), calendar=calendar, note=note)


def _require_subject(kind: MailKind, calendar: Calendar, by: User, receiver: User) -> bool:
    """Refuse a letter that would be about nothing, and so never be sent. Returns whether the
    receiver takes part in the calendar.
    """
    seated, invited, fixed = queries.people.standing_in(calendar, receiver)
    # Whom the owner invited is not for the others to find out.
    invited = invited and rules.may_manage(by, calendar)
    if kind == MailKind.INVITATION and not invited:
        raise InvalidInput(
            _("This person has no open invitation to this calendar from you. Invite them first."),
            field="calendar",
        )
    if kind == MailKind.FINAL and not (seated and fixed):
        raise InvalidInput(
            _("This person has no confirmed meeting in this calendar yet."), field="calendar"
        )
    if not (seated or invited):
        raise InvalidInput(_("This person isn’t in this calendar."), field="calendar")
    return seated
