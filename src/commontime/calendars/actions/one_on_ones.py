from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts.names import full_name
from commontime.calendars import queries
from commontime.calendars.actions.checks import hold_with_people, require_running
from commontime.calendars.actions.meetings import check_meeting, name_attendees, store_names
from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.queries.people import Roster
from commontime.core.errors import InvalidInput


@transaction.atomic
def create_one_on_ones(
    calendar: Calendar,
    *,
    by: User,
    deadline: datetime,
    people: Sequence[int] | None = None,
    **fields: Any,
) -> tuple[list[Meeting], Roster]:
    """Create a meeting of the owner with each person who has none yet.

    people: with whom; by default everybody. A one-on-one is a meeting of just these two; a
    scheduled one counts too. The number of statements is constant. Returns the new meetings, and
    the calendar's people.
    """
    roster = hold_with_people(calendar)
    queries.calendars.require_owner(by, calendar, _("add meetings"))
    require_running(calendar)
    seated = {person.user_id: person for person in roster.people if person.is_active}
    wanted = (
        [user for user in seated if user != calendar.owner_id]
        if people is None
        else list(dict.fromkeys(people))
    )
    if set(wanted) - (seated.keys() - {calendar.owner_id}):
        raise InvalidInput(_("Choose only other people who are in this calendar."), field="with")
    check_meeting(Meeting(calendar=calendar, deadline=deadline, **fields), new_deadline=True)
    has_one = _met_by(calendar)
    owner = full_name(calendar.owner)
    made = []
    for user in wanted:
        if user not in has_one:
            meeting = Meeting(
                calendar=calendar,
                deadline=deadline,
                title=f"{owner} & {seated[user].name}"[:200].strip(),
                **fields,
            )
            name_attendees(meeting, roster, {calendar.owner_id: True, user: True})
            made.append(meeting)
    Meeting.objects.bulk_create(made)
    store_names(made)
    return made, roster


def _met_by(calendar: Calendar) -> set[int]:
    """Return whom the owner already has a one-on-one with."""
    owner = calendar.owner_id
    named = (
        meeting.attendees.keys()
        for meeting in queries.meetings.meetings_of(calendar).filter(for_everyone=False)
    )
    return {
        user
        for people in named
        if len(people) == 2 and owner in people
        for user in people - {owner}
    }
