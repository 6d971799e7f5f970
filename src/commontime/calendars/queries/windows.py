"""Non-busy times."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import (
    QuerySet,
)
from django.utils.translation import gettext as _

from commontime.calendars import rules
from commontime.calendars.models import (
    Calendar,
    NonBusyTime,
)
from commontime.calendars.queries import path
from commontime.core import clock, rows
from commontime.core.errors import NotAllowed, NotFound


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody's seat in a calendar while they change their times.

    `packed` is their times as migration 0002 describes.

    has_agreed: whether they took part by their own doing before. given: how many times those are,
    with those too short to be packed. waits, is_over: whether a
    meeting without a final time is before, or past, its deadline. has_scheduled: whether one is
    still to come.
    """

    user: User
    calendar: Calendar
    packed: str
    has_agreed: bool
    given: int
    waits: bool
    is_over: bool
    has_scheduled: bool


_SEAT = """
    SELECT p.packed, p.agreed_at IS NOT NULL, c.is_finalized,
        (SELECT COUNT(*) FROM calendars_nonbusytime w
         WHERE w.calendar_id = c.id AND w.user_id = p.user_id),
        EXISTS (SELECT 1 FROM calendars_meeting m
                WHERE m.calendar_id = c.id AND m.final_time IS NULL AND m.deadline > %s),
        EXISTS (SELECT 1 FROM calendars_meeting m
                WHERE m.calendar_id = c.id AND m.final_time IS NULL AND m.deadline <= %s),
        EXISTS (SELECT 1 FROM calendars_meeting m WHERE m.calendar_id = c.id AND m.final_time > %s)
    FROM calendars_calendarparticipant p JOIN calendars_calendar c ON c.id = p.calendar_id
    WHERE p.calendar_id = %s AND p.user_id = %s
"""


def hold_seat(user: User, calendar: Calendar) -> Seat:
    """Hold the calendar, and return the user's seat in it.

    Both are as they are now; actions/checks.py says why it is held. By hand: each answer pays for
    it.

    All in one statement, so of the meetings and the count it sees what was there before it had to
    wait for somebody.
    """
    now = rows.moment(clock.now())
    lock = " FOR NO KEY UPDATE OF c, p" if connection.vendor == "postgresql" else ""
    row = rows.fetch_one(_SEAT + lock, [now, now, now, rows.uuid(calendar.pk), user.pk])
    if row is None:
        raise NotFound(_(path.NO_CALENDAR))
    packed, agreed, calendar.is_finalized, given, waits, is_over, scheduled = row
    flags = bool(waits), bool(is_over), bool(scheduled)
    return Seat(user, calendar, packed, bool(agreed), given, *flags)


def windows_over(
    user: User, calendar: Calendar, start: datetime, end: datetime
) -> QuerySet[NonBusyTime]:
    """The user's times that cross an edge of `[start, end)`."""
    touching = NonBusyTime.objects.filter(
        calendar=calendar, user=user, start_time__lt=end, end_time__gt=start
    )
    return touching.exclude(start_time__gte=start, end_time__lte=end)


def windows_from_to(
    user: User, calendar: Calendar, start: datetime, end: datetime
) -> QuerySet[NonBusyTime]:
    """The user's times around `[start, end)`, in order.

    They lie in it, cross its edges or touch them.
    """
    return NonBusyTime.objects.filter(
        calendar=calendar, user=user, start_time__lte=end, end_time__gte=start
    ).order_by("start_time")


_WINDOWS = rows.Listing(
    "calendars_nonbusytime w",
    [
        ("w.id", "id"),
        ("w.user_id", "plain"),
        ("w.start_time", "time"),
        ("w.end_time", "time"),
        ("w.preference_level", "plain"),
    ],
    ["w.start_time", "w.id"],
)


def window_rows(
    user: User,
    calendar: Calendar,
    *,
    whose: int | None,
    start: datetime | None,
    end: datetime | None,
) -> rows.Query:
    """Return the times the user may see, as (id, user, start, end, preference).

    Only those of one person, and touching `[start, end)`, if given.
    """
    conditions, parameters = ["w.calendar_id = %s"], [rows.uuid(calendar.pk)]
    if not rules.may_see_windows_of_others(user, calendar):
        conditions.append("w.user_id = %s")
        parameters.append(user.pk)
    for condition, value in (
        ("w.user_id = %s", whose),
        ("w.end_time > %s", start),
        ("w.start_time < %s", end),
    ):
        if value is not None:
            conditions.append(condition)
            parameters.append(rows.moment(value) if isinstance(value, datetime) else value)
    return _WINDOWS.where(*conditions, parameters=parameters)


_OWN_WINDOWS = """
    SELECT start_time, end_time, preference_level FROM calendars_nonbusytime
    WHERE calendar_id = %s AND user_id = %s ORDER BY start_time
"""


def own_window_rows(user: User, calendar: Calendar) -> list[tuple[datetime, datetime, int]]:
    """Rows (start, end, preference) of all the user's times in the calendar, in order."""
    stored = rows.fetch_all(_OWN_WINDOWS, [rows.uuid(calendar.pk), user.pk])
    return [
        (rows.read_moment(start), rows.read_moment(end), preference)
        for start, end, preference in stored
    ]


def windows_visible_to(user: User, calendar: Calendar) -> QuerySet[NonBusyTime]:
    rows = NonBusyTime.objects.filter(calendar=calendar)
    return rows if rules.may_see_windows_of_others(user, calendar) else rows.filter(user=user)


def window_for(user: User, calendar: Calendar, window_id: UUID) -> NonBusyTime:
    """Return one of the user's own times.

    Raises NotAllowed for a time of somebody else that they may see in the list.
    """
    window = windows_visible_to(user, calendar).filter(pk=window_id).first()
    if window is None:
        raise NotFound(_("There is no such time in this calendar."))
    if not rules.may_edit(user, window):
        raise NotAllowed(
            _(
                "This time belongs to somebody else, and only they can open it. "
                "You can see it in the calendar’s list of times."
            )
        )
    window.calendar = calendar
    return window
