"""What a path names, looked up together with the user's part in it.

By hand, because every request asks it.
"""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts import queries as accounts
from commontime.calendars.models import (
    Calendar,
    Meeting,
)
from commontime.core import rows
from commontime.core.errors import NotAllowed, NotFound

ACCEPT_FIRST = gettext_noop(
    "You’ve been invited but haven’t accepted yet. Accept the invitation first."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar, perhaps one of its meetings, and what the user is to it."""

    calendar: Calendar | None
    meeting: Meeting | None
    is_inside: bool
    is_invited: bool


_CALENDAR = rows.Columns(Calendar, "c")


MEETING = rows.Columns(Meeting, "m")


_PART = """
    (c.owner_id = u.id OR p.id IS NOT NULL),
    EXISTS (SELECT 1 FROM calendars_invitation i
            WHERE i.calendar_id = c.id AND i.receiver_id = u.id AND i.status = 'pending')
"""


_SEAT = "LEFT JOIN calendars_calendarparticipant p ON p.calendar_id = c.id AND p.user_id = u.id"


ATTENDEE_MARKS = """
    (SELECT {join}(CAST(a.user_id AS text) || CASE WHEN a.required THEN 'r' ELSE 'o' END, ',')
     FROM calendars_meetingattendee a WHERE a.meeting_id = m.id)
"""


def along(calendar_id: UUID | None, meeting_id: UUID | None) -> list[accounts.Along]:
    """Return what finds the calendar and the meeting a path names in the statement that finds the
    sign-in; nothing if it names neither.

    The user remembers what was found until the end of the request, so that `…_for` need not ask
    again.
    """
    if calendar_id is None and meeting_id is None:
        return []
    columns, joins, parameters = _sql(calendar_id, meeting_id)
    width = len(_CALENDAR) + 2 + (meeting_id is not None) * (1 + len(MEETING))

    def read(user: User, row: tuple[Any, ...]) -> None:
        user.found = {(calendar_id, meeting_id): _read(row, user, meeting_id)}  # type: ignore[attr-defined]

    return [accounts.Along(columns, joins, parameters, width, read)]


def look_up(
    user: User, *, calendar_id: UUID | None = None, meeting_id: UUID | None = None
) -> Found:
    """Return what the user may know of what a path names, from the sign-in's statement if that
    looked for it.
    """
    for (seen_calendar, seen_meeting), found in getattr(user, "found", {}).items():
        if seen_calendar == calendar_id and meeting_id in (None, seen_meeting):
            return cast(Found, found)
    columns, joins, parameters = _sql(calendar_id, meeting_id)
    statement = f"SELECT {columns} FROM auth_user u {joins} WHERE u.id = %s"  # noqa: S608 (column names only)
    row = rows.fetch_one(statement, [*parameters, user.pk])
    return _read(row, user, meeting_id) if row else Found(None, None, False, False)


def _sql(calendar_id: UUID | None, meeting_id: UUID | None) -> tuple[str, str, list[Any]]:
    columns, joins, parameters = (
        f"{_CALENDAR.sql}, {_PART}",
        f"LEFT JOIN calendars_calendar c ON c.id = %s {_SEAT}",
        [calendar_id],
    )
    if meeting_id is not None:
        columns += f", {marks_sql()}, {MEETING.sql}"
        if calendar_id is not None:
            joins += " LEFT JOIN calendars_meeting m ON m.id = %s AND m.calendar_id = c.id"
            parameters.append(meeting_id)
        else:
            joins = (
                "LEFT JOIN calendars_meeting m ON m.id = %s "
                f"LEFT JOIN calendars_calendar c ON c.id = m.calendar_id {_SEAT}"
            )
            parameters = [meeting_id]
    return (
        columns,
        joins,
        [rows.uuid(parameter) for parameter in parameters if parameter is not None],
    )


def marks_sql() -> str:
    return ATTENDEE_MARKS.format(
        join="group_concat" if connection.vendor == "sqlite" else "string_agg"
    )


def _read(row: tuple[Any, ...], user: User, meeting_id: UUID | None) -> Found:
    if row[0] is None:
        return Found(None, None, False, False)
    calendar: Calendar = _CALENDAR.read(row)
    if calendar.owner_id == user.pk:
        calendar.owner = user
    is_inside, is_invited, *rest = row[len(_CALENDAR) :]
    meeting: Meeting | None = None
    if meeting_id is not None and rest[1] is not None:
        meeting = MEETING.read(tuple(rest[1:]))
        meeting.attendee_marks, meeting.calendar = rest[0], calendar
    return Found(calendar, meeting, bool(is_inside), bool(is_invited))


def require_inside(found: Found, missing: str) -> None:
    """Refuse who is not part of the calendar: a stranger learns nothing, somebody invited that they
    must accept first.
    """
    if found.is_inside:
        return
    if found.is_invited:
        raise NotAllowed(_(ACCEPT_FIRST))
    raise NotFound(missing)
