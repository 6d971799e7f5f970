"""What a path names, with the user's part in it.

By hand, because every request asks it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts import queries as accounts
from commontime.calendars.models import Calendar, Meeting
from commontime.core import rows
from commontime.core.errors import NotAllowed, NotFound

ACCEPT_FIRST = gettext_noop(
    "You’ve been invited but haven’t accepted yet. Accept the invitation first."
)
NO_CALENDAR = gettext_noop("There is no such calendar, or you are not part of it.")
NO_MEETING = gettext_noop("There is no such meeting, or you are not part of its calendar.")


@dataclass(frozen=True, slots=True)
class Target:
    """The calendar and meeting that a path names.

    It also has the asker's part in the calendar. Hidden and missing are the same NotFound. Somebody
    invited gets NotAllowed: accept first.
    """

    calendar: Calendar | None = None
    meeting: Meeting | None = None
    is_inside: bool = False
    is_invited: bool = False

    def require_calendar(self) -> Calendar:
        self._require_inside(NO_CALENDAR)
        if self.calendar is None:
            raise NotFound(_(NO_CALENDAR))
        return self.calendar

    def require_meeting(self) -> Meeting:
        self._require_inside(NO_MEETING)
        if self.meeting is None:
            raise NotFound(_(NO_MEETING))
        return self.meeting

    def _require_inside(self, missing: str) -> None:
        if self.is_invited and not self.is_inside:
            raise NotAllowed(_(ACCEPT_FIRST))
        if not self.is_inside:
            raise NotFound(_(missing))


@dataclass(frozen=True, slots=True)
class Auth:
    """Who asks, by which sign-in, and what the path names.

    target: None where the path names nothing, or was not looked up.
    """

    sign_in: accounts.SignIn
    target: Target | None

    @property
    def user(self) -> User:
        return self.sign_in.user

    def calendar(self) -> Calendar:
        """Return the path's calendar, as `calendar_for` does."""
        return self._required_target().require_calendar()

    def meeting(self) -> Meeting:
        """Return the path's meeting, as `meeting_for` does."""
        return self._required_target().require_meeting()

    def _required_target(self) -> Target:
        if self.target is None:
            raise LookupError("Nothing that this path names was looked up.")
        return self.target


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


def join(calendar_id: UUID | None, meeting_id: UUID | None) -> accounts.Join[Target] | None:
    """Return the join that looks up what a path names. None if it names neither."""
    if calendar_id is None and meeting_id is None:
        return None
    columns, tables, parameters = _sql(calendar_id, meeting_id)
    width = len(_CALENDAR) + 2 + (meeting_id is not None) * (1 + len(MEETING))

    def read(user: User, row: rows.Values) -> Target:
        return _read(row, user, meeting_id)

    return accounts.Join(columns, tables, parameters, width, read)


def look_up(
    user: User, *, calendar_id: UUID | None = None, meeting_id: UUID | None = None
) -> Target:
    """Look up what a path names, in its own statement."""
    columns, tables, parameters = _sql(calendar_id, meeting_id)
    # No input is in the text of the statement.
    statement = f"SELECT {columns} FROM auth_user u {tables} WHERE u.id = %s"  # noqa: S608
    row = rows.fetch_one(statement, [*parameters, user.pk])
    return _read(row, user, meeting_id) if row else Target()


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


def _read(row: rows.Values, user: User, meeting_id: UUID | None) -> Target:
    if row[0] is None:
        return Target()
    calendar: Calendar = _CALENDAR.read(row)
    if calendar.owner_id == user.pk:
        calendar.owner = user
    is_inside, is_invited, *rest = row[len(_CALENDAR) :]
    meeting: Meeting | None = None
    if meeting_id is not None and rest[1] is not None:
        meeting = MEETING.read(tuple(rest[1:]))
        meeting.attendee_marks, meeting.calendar = rest[0], calendar
    return Target(calendar, meeting, bool(is_inside), bool(is_invited))
