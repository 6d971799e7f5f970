"""Plans, and the rows they are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import (
    Calendar,
    Meeting,
    Plan,
)
from commontime.calendars.queries import calendars, path, people
from commontime.core import rows
from commontime.core.errors import NotFound


def plan_for(user: User, calendar: Calendar) -> tuple[Plan, people.Roster]:
    """Return the calendar's plan, and its people, to its owner."""
    calendars.require_owner(user, calendar, _("see the plan"))
    plan = people.with_people(
        Plan.objects.filter(calendar=calendar), "calendars_plan.calendar_id"
    ).first()
    if plan is None:
        raise not_planned()
    plan.calendar = calendar
    return plan, people.read_roster(calendar, plan.people)


def not_planned() -> NotFound:
    return NotFound(_("Nothing has been planned in this calendar yet."))


def being_planned(user: User) -> str | None:
    """Return the name of a calendar of theirs whose plan is waiting or being worked out."""
    running = Plan.objects.filter(calendar__owner=user, status=PlanStatus.RUNNING)
    return running.values_list("calendar__name", flat=True).first()


def unfinished_plans() -> dict[str, int]:
    """Return how many plans run, and how many wait until a worker takes them."""
    unfinished = Plan.objects.filter(status=PlanStatus.RUNNING)
    return unfinished.aggregate(
        running=Count("pk", filter=Q(run__gt=0)), waiting=Count("pk", filter=Q(run=0))
    )


@dataclass(frozen=True, slots=True)
class BusyTime:
    """When somebody is in a scheduled meeting.

    It may be in any calendar in which they take part by their own doing: nobody can make somebody
    busy whom they only added. Which one is told to nobody.
    """

    user_id: int
    start: datetime
    end: datetime
    buffer: timedelta


@dataclass(frozen=True, slots=True)
class PlanRows:
    """What a joint plan is computed from.

    meetings: open ones, the first made first. busy: of the calendar's people who have answered and
    are together with its owner.
    """

    roster: people.Roster
    meetings: list[Meeting]
    busy: list[BusyTime]
    being_planned: str | None


_OPEN = rows.JsonRows(
    """(SELECT * FROM calendars_meeting WHERE calendar_id = c.id AND final_time IS NULL{named}
        ORDER BY created_at, id LIMIT {most}) m""",
    {
        **rows.columns_of(Meeting, "m", *path.MEETING.names),
        "attendee_marks": (path.ATTENDEE_MARKS, "plain"),
    },
    "m.created_at, m.id",
)


_BUSY = rows.JsonRows(
    """calendars_calendarparticipant o JOIN calendars_meeting m ON m.calendar_id = o.calendar_id
       JOIN calendars_calendar k ON k.id = m.calendar_id
       WHERE m.final_time > %s
       AND (o.agreed_at IS NOT NULL OR o.calendar_id = c.id)
       AND o.user_id IN (SELECT p.user_id FROM calendars_calendarparticipant p
                         WHERE p.calendar_id = c.id AND p.packed <> '')
       AND (m.for_everyone OR EXISTS (SELECT 1 FROM calendars_meetingattendee a
                                      WHERE a.meeting_id = m.id AND a.user_id = o.user_id))""",
    {
        "user_id": ("o.user_id", "plain"),
        "final_time": ("m.final_time", "time"),
        "minutes": ("COALESCE(m.duration_minutes, k.duration_minutes)", "plain"),
        "buffer_minutes": ("m.buffer_minutes", "plain"),
    },
    "m.final_time, m.id, o.user_id",
)


# Of the owner's calendars the one that is being planned.
_BEING_PLANNED = """
    (SELECT k.name FROM calendars_calendar k JOIN calendars_plan l ON l.calendar_id = k.id
     WHERE k.owner_id = c.owner_id AND l.status = 'running' LIMIT 1)
"""


def plan_rows(calendar: Calendar, *, named: Sequence[UUID], most: int, after: datetime) -> PlanRows:
    """Return what a plan of the calendar is computed from.

    It is a plan of the open meetings, or of those named. One query. most: how many meetings at
    most. after: of the scheduled meetings only those that begin after this.
    """
    row = rows.fetch_one(
        _plan_statement(len(named), most),
        [*map(rows.uuid, named), rows.moment(after), rows.uuid(calendar.pk)],
    )
    if row is None:
        raise NotFound(_(path.NO_CALENDAR))
    people_rows, meetings, busy, being_planned = row
    roster = people.read_roster(calendar, people_rows)
    return PlanRows(
        roster,
        _read_meetings(meetings, calendar),
        _read_busy(busy, roster),
        being_planned,
    )


def _plan_statement(named: int, most: int) -> str:
    condition = f" AND id IN ({', '.join(['%s'] * named)})" if named else ""
    join = "group_concat" if connection.vendor == "sqlite" else "string_agg"
    selected = (
        people.PEOPLE.sql.format(calendar="c.id"),
        _OPEN.sql.format(named=condition, most=most, join=join),
        _BUSY.sql,
        _BEING_PLANNED,
    )
    columns = ", ".join(selected)
    return f"SELECT {columns} FROM calendars_calendar c WHERE c.id = %s"  # noqa: S608 (no input)


def _read_meetings(text: str | None, calendar: Calendar) -> list[Meeting]:
    meetings = []
    for *values, marks in _OPEN.read(text):
        meeting = Meeting.from_db("default", path.MEETING.names, values)
        meeting.attendee_marks, meeting.calendar = marks, calendar
        meetings.append(meeting)
    return meetings


def busy_times(calendar: Calendar, roster: people.Roster, *, after: datetime) -> list[BusyTime]:
    """Return when those who answered are in scheduled meetings.

    The meetings may be in any calendar. Only those that begin after this count, and of people who
    are together with the owner.
    """
    busy = _BUSY.sql
    statement = f"SELECT {busy} FROM calendars_calendar c WHERE c.id = %s"  # noqa: S608 (no input)
    row = rows.fetch_one(statement, [rows.moment(after), rows.uuid(calendar.pk)])
    return _read_busy(row[0] if row else None, roster)


def _read_busy(text: str | None, roster: people.Roster) -> list[BusyTime]:
    minute = timedelta(minutes=1)
    return [
        BusyTime(user, start, start + minutes * minute, buffer * minute)
        for user, start, minutes, buffer in _BUSY.read(text)
        if user in roster.together
    ]
