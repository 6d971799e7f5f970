from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts.names import full_name
from commontime.calendars import queries
from commontime.calendars.actions.checks import (
    hold_with_people,
    require_meeting_room,
    require_planner,
    require_text_room,
)
from commontime.calendars.actions.meetings import check_meeting, name_attendees, store_names
from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.queries.people import Person, Roster
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
    """Create the owner's meetings with those who have none yet.

    people: with whom; by default everybody. A one-on-one is a meeting of just these two; a
    scheduled one counts too. The number of statements is constant. Returns the new meetings, and
    the calendar's people.
    """
    roster = hold_with_people(calendar)
    require_planner(by, calendar, _("add meetings"))
    wanted = _others(calendar, roster, people)
    check_meeting(Meeting(calendar=calendar, deadline=deadline, **fields), new_deadline=True)
    has_one = _met_by(calendar)
    owner = full_name(calendar.owner)
    meetings = []
    for person in wanted:
        if person.user_id not in has_one:
            title = f"{owner} & {person.name}"[:200].strip()
            meeting = Meeting(calendar=calendar, deadline=deadline, title=title, **fields)
            name_attendees(meeting, roster, {calendar.owner_id: True, person.user_id: True})
            meetings.append(meeting)
    require_meeting_room(by, adding=len(meetings))
    require_text_room(by, *(meeting.description for meeting in meetings))
    Meeting.objects.bulk_create(meetings)
    store_names(meetings)
    return meetings, roster


def _others(calendar: Calendar, roster: Roster, users: Sequence[int] | None) -> list[Person]:
    """Return these people, by default everybody but the owner."""
    others = {
        person.user_id: person for person in roster.active if person.user_id != calendar.owner_id
    }
    wanted = others if users is None else dict.fromkeys(users)
    if wanted.keys() - others.keys():
        raise InvalidInput(_("Choose only other people who are in this calendar."), field="with")
    return [others[user] for user in wanted]


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
