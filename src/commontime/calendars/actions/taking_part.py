"""Taking part by one's own doing.

Whoever adds somebody puts them into a calendar, and that says nothing about what they want. They
take part by their own doing once they accept an invitation, give a time, suggest one, or say so
(`take_part`). Looking is no such doing. Until then nothing that is known of them elsewhere counts
in the calendar: `Roster.together` is that rule. And the organiser's mails to them are few a day
(`mail/allowance.py`).
"""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.calendars import queries, rules
from commontime.calendars.actions.checks import hold
from commontime.calendars.models import Calendar, CalendarParticipant
from commontime.core import clock
from commontime.core.errors import NotAllowed
from commontime.mail import outbox


@transaction.atomic
def take_part(participant: CalendarParticipant, *, by: User) -> CalendarParticipant:
    """Say that one takes part, having been added. Saying it again changes nothing."""
    if not rules.may_take_part(by, participant):
        raise NotAllowed(_("Only this person can say that they take part."))
    if participant.agreed_at is not None:
        return participant
    calendar = participant.calendar
    hold(calendar)
    agree(calendar, by)
    # NotFound if somebody removed them meanwhile.
    return queries.people.participant_for(calendar, participant.pk)


def agree(calendar: Calendar, user: User) -> None:
    """Note that the user takes part by their own doing. The calendar is held."""
    seats = CalendarParticipant.objects.filter(calendar=calendar, user=user, agreed_at=None)
    if seats.update(agreed_at=clock.now()):
        outbox.release(user.pk, caused_by=calendar.owner_id)
