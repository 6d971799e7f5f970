from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.accounts.actions import names
from commontime.calendars import limits, queries, rules
from commontime.calendars.enums import MailKind
from commontime.calendars.models import Calendar
from commontime.calendars.tasks import notices
from commontime.core import limits as rates
from commontime.core import text
from commontime.core.errors import InvalidInput, NotAllowed, TooMany


def send_letter(
    *,
    by: User,
    username: str,
    kind: str | None = None,
    calendar_id: UUID | None = None,
    note: str = "",
) -> None:
    """Have a fixed letter mailed to a person.

    By default an owner's is a reminder, anybody else's a note. Nobody is told that the person has
    muted them: the letter is dropped when it is due.
    """
    receiver = names.find(username, by=by)
    if kind is not None:
        text.check_choice(kind, MailKind.values, field="kind")
    note = text.many_lines(note, field="note", longest=limits.NOTE)
    calendar = None if calendar_id is None else queries.calendars.calendar_named(by, calendar_id)
    letter = _kind_of(kind, calendar, by, receiver)
    seated, has_agreed = False, False
    if calendar is not None:
        seated, has_agreed = _require_subject(letter, calendar, by, receiver)
    if note and not seated:
        _require_shared_calendar(by, receiver)
    with transaction.atomic():
        if letter == MailKind.REMINDER:
            _count_reminder(by, receiver)
        notices.count_letter(by.pk, receiver.email)
        notices.tell_from_person(
            by, receiver, kind=letter, calendar=calendar, note=note, has_agreed=has_agreed
        )


def _kind_of(kind: str | None, calendar: Calendar | None, by: User, receiver: User) -> MailKind:
    """Return which letter it is.

    NotAllowed for a reminder from somebody who owns no calendar.
    """
    if calendar is None and kind in (MailKind.INVITATION, MailKind.FINAL):
        raise InvalidInput(_("Name the calendar this is about."), field="calendar")
    if kind not in (None, MailKind.REMINDER):
        return MailKind(kind)
    if calendar is None:
        may_remind = queries.people.takes_part_in_one_of(receiver, owner=by)
    else:
        may_remind = rules.may_remind(by, calendar)
    if kind == MailKind.REMINDER and not may_remind:
        raise queries.calendars.only_the_owner(_("remind people"))
    return MailKind.REMINDER if may_remind else MailKind.NOTE


def _require_shared_calendar(by: User, receiver: User) -> None:
    if not queries.calendars.share_a_calendar(by, receiver):
        raise NotAllowed(
            _("You can send a note only to people you share a calendar with."),
            code="no_shared_calendar",
        )


def _count_reminder(by: User, receiver: User) -> None:
    (wait,) = rates.count("reminder", (by.pk, receiver.pk))
    if wait:
        hours = settings.LIMITS["reminder"][1] // 3600
        said = ngettext(
            "You can remind each person once in %(n)d hour.",
            "You can remind each person once in %(n)d hours.",
            hours,
        )
        raise TooMany(said % {"n": hours}, retry_after=wait, code="reminded_lately")


def _require_subject(
    kind: MailKind, calendar: Calendar, by: User, receiver: User
) -> tuple[bool, bool]:
    """Refuse a letter that would be about nothing.

    It would never be sent. Returns whether the receiver has a seat in the calendar, and whether
    they took it by their own doing.
    """
    seated, has_agreed, invited, fixed = queries.people.standing_in(calendar, receiver)
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
    return seated, has_agreed
