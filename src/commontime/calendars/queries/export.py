"""All that is stored about one person."""

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from commontime.accounts import queries as accounts
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts import queries as contacts
from commontime.core import clock, rows
from commontime.core.errors import NotFound

_OF_CALENDAR = (
    "id",
    "name",
    "description",
    "location",
    "time_zone",
    "is_finalized",
    "visibility",
    "window_start",
    "window_end",
)


# By what the export calls them; of a user `u`.
_EVERYTHING = {
    "sessions": accounts.SESSIONS,
    "muted": accounts.MUTED,
    "contacts": contacts.KEPT,
    "owned_calendars": rows.JsonRows(
        "calendars_calendar c WHERE c.owner_id = u.id",
        rows.columns_of(Calendar, "c", *_OF_CALENDAR, "created_at"),
        "c.created_at",
    ),
    "participations": rows.JsonRows(
        "calendars_calendarparticipant p JOIN calendars_calendar c ON c.id = p.calendar_id"
        " WHERE p.user_id = u.id",
        {
            **rows.columns_of(CalendarParticipant, "p", "calendar_id"),
            "calendar__name": ("c.name", "plain"),
            **rows.columns_of(CalendarParticipant, "p", "required", "joined_at"),
        },
        "p.joined_at",
    ),
    "non_busy_times": rows.JsonRows(
        "calendars_nonbusytime w WHERE w.user_id = u.id",
        rows.columns_of(
            NonBusyTime, "w", "id", "calendar_id", "start_time", "end_time", "preference_level"
        ),
        "w.start_time",
    ),
    "suggestions": rows.JsonRows(
        "calendars_schedulesuggestion s WHERE s.author_id = u.id",
        rows.columns_of(ScheduleSuggestion, "s", "meeting_id", "suggested_time"),
        "s.created_at",
    ),
    "invitations_received": rows.JsonRows(
        "calendars_invitation i WHERE i.receiver_id = u.id",
        rows.columns_of(Invitation, "i", "calendar_id", "status", "created_at"),
        "i.created_at",
    ),
    "invitations_sent": rows.JsonRows(
        "calendars_invitation i WHERE i.sender_id = u.id",
        rows.columns_of(Invitation, "i", "calendar_id", "email", "status", "created_at"),
        "i.created_at",
    ),
}


def everything_about(user: User) -> dict[str, Any]:
    """Return all that is stored about the user (GDPR art. 15 and 20), without secrets."""
    columns = ", ".join(nested.sql for nested in _EVERYTHING.values())
    row = rows.fetch_one(f"SELECT {columns} FROM auth_user u WHERE u.id = %s", [user.pk])  # noqa: S608 (column names only)
    if row is None:
        raise NotFound(_("This account has just been deleted."))
    found = {
        part: nested.read_named(text)
        for (part, nested), text in zip(_EVERYTHING.items(), row, strict=True)
    }
    return {
        "exported_at": clock.now(),
        **found,
        "muted": [muted["username"] for muted in found["muted"]],
    }
