"""Meetings, their final times and their suggestions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    StringAgg,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from commontime.calendars import limits
from commontime.calendars.models import (
    Calendar,
    Meeting,
    MeetingAttendee,
    ScheduleSuggestion,
    read_marks,
)
from commontime.calendars.queries import path
from commontime.core import clock, rows
from commontime.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Scheduled:
    """When a meeting of a calendar takes place. attendee_marks: as in `Meeting`."""

    meeting_id: UUID
    start: datetime
    minutes: int
    buffer_minutes: int
    for_everyone: bool
    attendee_marks: str | None

    @property
    def attendees(self) -> dict[int, bool]:
        return read_marks(self.attendee_marks)


_SCHEDULED = rows.JsonRows(
    """calendars_meeting m JOIN calendars_calendar k ON k.id = m.calendar_id
       WHERE m.calendar_id = {calendar} AND m.final_time > {after}""",
    {
        **rows.columns_of(Meeting, "m", "id", "final_time"),
        "minutes": ("COALESCE(m.duration_minutes, k.duration_minutes)", "plain"),
        **rows.columns_of(Meeting, "m", "buffer_minutes", "for_everyone"),
        "attendee_marks": (path.ATTENDEE_MARKS, "plain"),
    },
    "m.final_time, m.id",
)


def scheduled_sql() -> str:
    """Return the column for `read_scheduled`. Its parameters: a calendar's id, and `not_over()`."""
    return _SCHEDULED.sql.format(
        calendar="%s",
        after="%s",
        join="group_concat" if connection.vendor == "sqlite" else "string_agg",
    )


def read_scheduled(text: str | None) -> list[Scheduled]:
    """Return the meetings that `scheduled_sql` selected, in order."""
    return [Scheduled(*row) for row in _SCHEDULED.read(text)]


def not_over() -> datetime:
    """Return the moment after which a meeting has begun that is not over."""
    return clock.now() - limits.LONGEST_MEETING


def with_attendees() -> QuerySet[Meeting]:
    """All meetings with their named attendees, in one query."""
    required = Case(When(required=True, then=Value("r")), default=Value("o"))
    mark = Concat(Cast("user_id", CharField()), required, output_field=CharField())
    marks = (
        MeetingAttendee.objects.filter(meeting=OuterRef("pk"))
        .order_by()
        .values("meeting")
        .annotate(all=StringAgg(mark, delimiter=Value(",")))
        .values("all")
    )
    # In a dictionary, because mypy takes an annotation that the model declares for a mistake.
    return Meeting.objects.annotate(**{"attendee_marks": Subquery(marks)})


def meetings_of(calendar: Calendar) -> QuerySet[Meeting]:
    return with_attendees().filter(calendar=calendar)


# Each with its attendees and its suggestions.
_MEETINGS_SEEN = f"""
    SELECT w.n, m.final_time IS NULL, m.deadline > %s,
        {{marks}}, {{suggestions}}, {path.MEETING.sql}
    FROM (SELECT COUNT(*) AS n FROM calendars_invitation i
          WHERE i.calendar_id = %s AND i.status = 'pending') w
    LEFT JOIN calendars_meeting m ON m.calendar_id = %s ORDER BY m.deadline, m.id LIMIT 1000
"""  # noqa: S608 (no input)


_SUGGESTIONS = rows.JsonRows(
    "calendars_schedulesuggestion s WHERE s.meeting_id = m.id",
    rows.columns_of(
        ScheduleSuggestion, "s", "id", "meeting_id", "author_id", "suggested_time", "created_at"
    ),
    "s.suggested_time, s.id",
)


def meeting_rows(calendar: Calendar, now: datetime) -> tuple[list[rows.Values], int]:
    """Return rows of the calendar's meetings by deadline.

    Also the number of open invitations. A row begins with whether the meeting waits for its final
    time and has its deadline ahead.

    Equal rows tell the same, so they can stand for their meetings in a key; `read_meeting` reads
    one.
    """
    statement = _MEETINGS_SEEN.format(marks=path.marks_sql(), suggestions=_SUGGESTIONS.sql)
    stored = rows.fetch_all(
        statement, [rows.moment(now), rows.uuid(calendar.pk), rows.uuid(calendar.pk)]
    )
    return [row[1:] for row in stored if row[2] is not None], stored[0][
        0
    ]  # without meetings there is one row of none


def read_meeting(calendar: Calendar, row: rows.Values) -> tuple[Meeting, list[ScheduleSuggestion]]:
    """Return the meeting of a row, and its suggestions.

    The row is one of `meeting_rows`; the meeting has its attendees.
    """
    _, _, marks, suggestions, *columns = row
    meeting: Meeting = path.MEETING.read(tuple(columns))
    meeting.calendar, meeting.attendee_marks = calendar, marks
    stored = [ScheduleSuggestion(**values) for values in _SUGGESTIONS.read_named(suggestions)]
    return meeting, stored


def meeting_for(user: User, meeting_id: UUID, *, calendar_id: UUID | None = None) -> Meeting:
    """Return the meeting, of this calendar if one is given. Whoever may not enter the calendar
    learns nothing about its meetings.
    """
    return path.look_up(user, calendar_id=calendar_id, meeting_id=meeting_id).require_meeting()


def meetings_to_come(*calendars: Calendar) -> QuerySet[Meeting]:
    """Meetings of these calendars to come, the next first."""
    meetings = with_attendees().filter(calendar__in=calendars, final_time__gt=clock.now())
    return meetings.select_related("calendar__owner").order_by("final_time", "id")


def meetings_ahead_for(user: User) -> QuerySet[Meeting]:
    """The user's meetings to come, the next first."""
    is_named = Exists(MeetingAttendee.objects.filter(meeting=OuterRef("pk"), user=user))
    meetings = Meeting.objects.filter(
        Q(for_everyone=True) | is_named,
        final_time__gt=clock.now(),
        calendar__participants__user=user,
    )
    return meetings.select_related("calendar").order_by("final_time", "id")


def meetings_overdue_for(user: User) -> QuerySet[Meeting]:
    """Return the user's own meetings past their deadline without a final time."""
    overdue = Meeting.objects.filter(
        calendar__owner=user,
        calendar__is_finalized=False,
        final_time=None,
        deadline__lte=clock.now(),
    )
    return overdue.select_related("calendar").order_by("deadline", "id")


def meetings_past_deadline(now: datetime) -> QuerySet[Meeting]:
    """Meetings whose deadline has passed unannounced. They have no final time."""
    rows = with_attendees().filter(announced_at=None, final_time=None, deadline__lte=now)
    return rows.select_related("calendar__owner").order_by("deadline", "id")


def suggestions_of(meeting: Meeting) -> QuerySet[ScheduleSuggestion]:
    return ScheduleSuggestion.objects.filter(meeting=meeting).order_by("suggested_time", "id")


def suggestion_for(meeting: Meeting, suggestion_id: UUID) -> ScheduleSuggestion:
    suggestion = ScheduleSuggestion.objects.filter(pk=suggestion_id, meeting=meeting).first()
    if suggestion is None:
        raise NotFound(_("This meeting has no such suggestion."))
    suggestion.meeting = meeting
    return suggestion
