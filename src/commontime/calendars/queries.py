"""What people see. A door gets an object only from `…_for(user, id)`: hidden and missing are the
same NotFound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    StringAgg,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts import queries as accounts
from commontime.calendars import rules
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    Plan,
    ScheduleSuggestion,
)
from commontime.contacts import queries as contacts
from commontime.core import clock, rows
from commontime.core.errors import InvalidInput, NotAllowed, NotFound

LONGEST_MEETING = timedelta(days=31)
ACCEPT_FIRST = gettext_noop(
    "You’ve been invited but haven’t accepted yet. Accept the invitation first."
)


# Calendars ----------------------------------------------------------------------------------------


def calendars_visible_to(user: User) -> QuerySet[Calendar]:
    """The user's own calendars and those they take part in."""
    return Calendar.objects.filter(Q(owner=user) | Exists(_seat(user.pk)))


def calendar_for(user: User, calendar_id: UUID) -> Calendar:
    """Return the calendar if the user owns it or takes part; NotAllowed while their invitation is
    pending.
    """
    found = _found(user, calendar_id=calendar_id)
    _require_inside(found, _("There is no such calendar, or you are not part of it."))
    assert found.calendar is not None
    return found.calendar


def calendar_named(user: User, calendar_id: UUID) -> Calendar:
    """Return the calendar whose id came in a body: one that is missing or hidden is bad input, in
    the same words.
    """
    try:
        return calendar_for(user, calendar_id)
    except NotFound:
        raise InvalidInput(
            _("There is no such calendar, or you are not part of it."), field="calendar"
        ) from None


def home_zone(user: User) -> str:
    return accounts.setting_of(user).time_zone


def calendar_list_for(user: User, roles: set[str]) -> QuerySet[Calendar]:
    """The user's calendars with what a list of them shows: `is_owner`, `answered`,
    `participant_count`, `meeting_count`.
    """
    everyone = (
        CalendarParticipant.objects.filter(calendar=OuterRef("pk"))
        .order_by()
        .values("calendar")
        .annotate(n=Count("pk"))
        .values("n")
    )
    meetings = (
        Meeting.objects.filter(calendar=OuterRef("pk"))
        .order_by()
        .values("calendar")
        .annotate(n=Count("pk"))
        .values("n")
    )
    wanted = Q()
    if "owner" in roles:
        wanted |= Q(owner=user)
    if "participant" in roles:
        wanted |= ~Q(owner=user)
    return (
        calendars_visible_to(user)
        .filter(wanted)
        .annotate(
            answered=Exists(_seat(user.pk).exclude(packed="")),
            participant_count=Coalesce(Subquery(everyone), 0),
            meeting_count=Coalesce(Subquery(meetings), 0),
        )
    )


def with_progress(calendars: QuerySet[Calendar]) -> QuerySet[Calendar]:
    """Calendars with how far they are: `answered_count`, `next_deadline` of what still waits for
    answers, and whether some `has_closed`.
    """
    answered = (
        CalendarParticipant.objects.filter(calendar=OuterRef("pk"))
        .exclude(packed="")
        .order_by()
        .values("calendar")
    )
    unscheduled, now = Meeting.objects.filter(calendar=OuterRef("pk"), final_time=None), clock.now()
    return calendars.annotate(
        answered_count=Coalesce(Subquery(answered.annotate(n=Count("pk")).values("n")), 0),
        next_deadline=Subquery(
            unscheduled.filter(deadline__gt=now).order_by("deadline").values("deadline")[:1]
        ),
        has_closed=Exists(unscheduled.filter(deadline__lte=now)),
    )


def _seat(user_id: int, calendar: str = "pk") -> QuerySet[CalendarParticipant]:
    return CalendarParticipant.objects.filter(calendar=OuterRef(calendar), user_id=user_id)


# What a path names is looked up together with the user's part in it, by hand because every request
# asks it. -------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A calendar, perhaps one of its meetings, and what the user is to it."""

    calendar: Calendar | None
    meeting: Meeting | None
    is_inside: bool
    is_invited: bool


_CALENDAR = rows.Columns(Calendar, "c")
_MEETING = rows.Columns(Meeting, "m")
_PART = """
    (c.owner_id = u.id OR p.id IS NOT NULL),
    EXISTS (SELECT 1 FROM calendars_invitation i WHERE i.calendar_id = c.id AND i.receiver_id = u.id AND i.status = 'pending')
"""
_SEAT = "LEFT JOIN calendars_calendarparticipant p ON p.calendar_id = c.id AND p.user_id = u.id"
_NAMED = """(SELECT {join}(CAST(a.user_id AS text) || CASE WHEN a.required THEN 'r' ELSE 'o' END, ',')
             FROM calendars_meetingattendee a WHERE a.meeting_id = m.id)"""


def along(calendar_id: UUID | None, meeting_id: UUID | None) -> list[accounts.Along]:
    """Return what finds the calendar and the meeting a path names in the statement that finds the
    sign-in; nothing if it names neither.

    The user remembers what was found until the end of the request, so that `…_for` need not ask
    again.
    """
    if calendar_id is None and meeting_id is None:
        return []
    columns, joins, parameters = _sql(calendar_id, meeting_id)
    width = len(_CALENDAR) + 2 + (meeting_id is not None) * (1 + len(_MEETING))

    def read(user: User, row: tuple[Any, ...]) -> None:
        user.found = {(calendar_id, meeting_id): _read(row, user, meeting_id)}  # type: ignore[attr-defined]

    return [accounts.Along(columns, joins, parameters, width, read)]


def _found(
    user: User, *, calendar_id: UUID | None = None, meeting_id: UUID | None = None
) -> _Found:
    """Return what the user may know of what a path names, from the sign-in's statement if that
    looked for it.
    """
    for (seen_calendar, seen_meeting), found in getattr(user, "found", {}).items():
        if seen_calendar == calendar_id and meeting_id in (None, seen_meeting):
            return cast(_Found, found)
    columns, joins, parameters = _sql(calendar_id, meeting_id)
    row = rows.fetch_one(
        f"SELECT {columns} FROM auth_user u {joins} WHERE u.id = %s",
        [*parameters, user.pk],  # noqa: S608
    )
    return _read(row, user, meeting_id) if row else _Found(None, None, False, False)


def _sql(calendar_id: UUID | None, meeting_id: UUID | None) -> tuple[str, str, list[Any]]:
    columns, joins, parameters = (
        f"{_CALENDAR.sql}, {_PART}",
        f"LEFT JOIN calendars_calendar c ON c.id = %s {_SEAT}",
        [calendar_id],
    )
    if meeting_id is not None:
        columns += f", {_named_sql()}, {_MEETING.sql}"
        if calendar_id is not None:
            joins += " LEFT JOIN calendars_meeting m ON m.id = %s AND m.calendar_id = c.id"
            parameters.append(meeting_id)
        else:
            joins = f"LEFT JOIN calendars_meeting m ON m.id = %s LEFT JOIN calendars_calendar c ON c.id = m.calendar_id {_SEAT}"
            parameters = [meeting_id]
    return (
        columns,
        joins,
        [rows.uuid(parameter) for parameter in parameters if parameter is not None],
    )


def _named_sql() -> str:
    return _NAMED.format(join="group_concat" if connection.vendor == "sqlite" else "string_agg")


def _read(row: tuple[Any, ...], user: User, meeting_id: UUID | None) -> _Found:
    if row[0] is None:
        return _Found(None, None, False, False)
    calendar: Calendar = _CALENDAR.read(row)
    if calendar.owner_id == user.pk:
        calendar.owner = user
    is_inside, is_invited, *rest = row[len(_CALENDAR) :]
    meeting: Meeting | None = None
    if meeting_id is not None and rest[1] is not None:
        meeting = _MEETING.read(tuple(rest[1:]))
        meeting.named, meeting.calendar = rest[0], calendar  # type: ignore[union-attr]
    return _Found(calendar, meeting, bool(is_inside), bool(is_invited))


def _require_inside(found: _Found, missing: str) -> None:
    """Refuse who is not part of the calendar: a stranger learns nothing, somebody invited that they
    must accept first.
    """
    if found.is_inside:
        return
    if found.is_invited:
        raise NotAllowed(_(ACCEPT_FIRST))
    raise NotFound(missing)


# People -------------------------------------------------------------------------------------------


_PARTICIPANTS = rows.Listing(
    "calendars_calendarparticipant p JOIN auth_user u ON u.id = p.user_id",
    [
        ("p.id", "id"),
        ("u.id", "plain"),
        ("u.username", "plain"),
        ("u.first_name", "plain"),
        ("u.last_name", "plain"),
        ("p.required", "flag"),
        ("p.packed <> ''", "flag"),
        ("p.joined_at", "time"),
    ],
    ["p.joined_at", "p.id"],
)


_PEOPLE = rows.Nested(
    "calendars_calendarparticipant p JOIN auth_user u ON u.id = p.user_id WHERE p.calendar_id = "
    "{calendar}",
    {
        **rows.columns_of(
            User, "u", "id", "username", "first_name", "last_name", "email", "is_active"
        ),
        **rows.columns_of(CalendarParticipant, "p", "required", "packed"),
    },
    "p.joined_at, p.id",
)


def with_people(found: QuerySet[Any], calendar: str) -> QuerySet[Any]:
    """Have the people of the calendar whose id is in this column come along with a row, as
    `people`, for `remember_people`.
    """
    people = RawSQL(_PEOPLE.sql.format(calendar=calendar), [], TextField())  # noqa: S611 (column names only)
    return cast(QuerySet[Any], found.annotate(people=people))


def remember_people(calendar: Calendar, people: str | None) -> None:
    """Keep the people that came along with a row, so that `people_rows` need not ask again."""
    calendar.people_along = people  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """When a meeting of a calendar is, and who is named for it, as in `meetings`; None: it is for
    everyone in the calendar.
    """

    meeting_id: UUID
    start: datetime
    minutes: int
    buffer_minutes: int
    for_everyone: bool
    named: str | None


_SCHEDULED = rows.Nested(
    """calendars_meeting m JOIN calendars_calendar k ON k.id = m.calendar_id
       WHERE m.calendar_id = {calendar} AND m.final_time > {after}""",
    {
        **rows.columns_of(Meeting, "m", "id", "final_time"),
        "minutes": ("COALESCE(m.duration_minutes, k.duration_minutes)", "plain"),
        **rows.columns_of(Meeting, "m", "buffer_minutes", "for_everyone"),
        "named": (_NAMED, "plain"),
    },
    "m.final_time, m.id",
)


def people_rows(calendar: Calendar) -> list[tuple[Any, ...]]:
    """Rows (id, username, first name, last name, e-mail, active, required, packed) of the
    calendar's people, in the order they came.
    """
    if "people_along" in calendar.__dict__:
        return _PEOPLE.read(calendar.__dict__.pop("people_along"))
    name = rows.uuid(calendar.pk)
    row = rows.fetch_one(
        f"SELECT {_PEOPLE.sql.format(calendar='%s')}, {_scheduled_sql()}",
        [name, name, rows.moment(_not_over())],
    )
    assert row is not None
    calendar.scheduled = row[1]  # type: ignore[attr-defined]
    return _PEOPLE.read(row[0])


def scheduled_in(calendar: Calendar) -> list[Scheduled]:
    """Return the calendar's meetings with a final time that may not be over, the first one first.
    No query if `people_rows` made one.
    """
    if "scheduled" not in calendar.__dict__:
        row = rows.fetch_one(
            f"SELECT {_scheduled_sql()}", [rows.uuid(calendar.pk), rows.moment(_not_over())]
        )
        calendar.__dict__["scheduled"] = row and row[0]
    return [Scheduled(*each) for each in _SCHEDULED.read(calendar.__dict__["scheduled"])]


def _scheduled_sql() -> str:
    return _SCHEDULED.sql.format(
        calendar="%s",
        after="%s",
        join="group_concat" if connection.vendor == "sqlite" else "string_agg",
    )


def _not_over() -> datetime:
    """Return the moment after which a meeting has begun that is not over."""
    return clock.now() - LONGEST_MEETING


_TEXTS, _BOUNDS = ("title", "description", "location"), ("deadline", "earliest", "latest")
_TO_COPY = (
    rows.Nested(
        "calendars_meeting m WHERE m.calendar_id = c.id",
        rows.columns_of(
            Meeting,
            "m",
            *_TEXTS,
            *_BOUNDS,
            "duration_minutes",
            "quorum",
            "buffer_minutes",
            "auto_finalize",
        ),
        "m.created_at, m.id",
    ),
    rows.Nested(
        "calendars_calendarparticipant p JOIN auth_user u ON u.id = p.user_id WHERE p.calendar_id = c.id AND u.is_active",
        {"user": ("u.id", "plain")},
        "p.joined_at, p.id",
    ),
)


def to_copy(calendar: Calendar) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the fields of the calendar's meetings that a copy keeps, and who takes part, without
    who is deactivated. One query.
    """
    columns = ", ".join(nested.sql for nested in _TO_COPY)
    found = rows.fetch_one(
        f"SELECT {columns} FROM calendars_calendar c WHERE c.id = %s",
        [rows.uuid(calendar.pk)],  # noqa: S608
    )
    if found is None:
        raise NotFound(_("There is no such calendar, or you are not part of it."))
    meetings, people = _TO_COPY
    return meetings.read_named(found[0]), [user for (user,) in people.read(found[1])]


def participant_rows(calendar: Calendar) -> rows.Listed:
    """Rows (id, user, username, first name, last name, required, answered, joined at) of the
    calendar's people.
    """
    return _PARTICIPANTS.where("p.calendar_id = %s", parameters=[rows.uuid(calendar.pk)])


def participants_of(calendar: Calendar) -> QuerySet[CalendarParticipant]:
    """The calendar's people with their names; `has_answered` once they gave any time."""
    return (
        CalendarParticipant.objects.filter(calendar=calendar)
        .select_related("user")
        .annotate(has_answered=Case(When(packed="", then=Value(False)), default=Value(True)))
        .defer("packed")
    )


def participant_for(user: User, calendar: Calendar, participant_id: UUID) -> CalendarParticipant:
    participant = participants_of(calendar).filter(pk=participant_id).first()
    if participant is None:
        raise NotFound(_("Nobody in this calendar has this participant id."))
    participant.calendar = calendar
    return participant


def seats_shared_by(user: User, people: Sequence[int]) -> QuerySet[CalendarParticipant]:
    """The seats of these people in the calendars that the user sees, by the calendars' names."""
    seats = CalendarParticipant.objects.filter(
        user__in=people, calendar__in=calendars_visible_to(user)
    ).select_related("calendar")
    return seats.defer("packed").order_by("calendar__name", "calendar")


def possible_heirs(user: User) -> QuerySet[User]:
    """Who takes part in every calendar the user owns, and so could become the owner of all."""
    owned = Calendar.objects.filter(owner=user)
    seats = (
        CalendarParticipant.objects.filter(calendar__owner=user, user=OuterRef("pk"))
        .order_by()
        .values("user")
    )
    shared = Subquery(seats.annotate(n=Count("pk")).values("n"))
    people = User.objects.filter(is_active=True).exclude(pk=user.pk).annotate(shared=shared)
    return people.filter(shared=owned.count(), shared__gt=0).order_by(
        "first_name", "last_name", "username"
    )


def share_a_calendar(one: User, other: User) -> bool:
    return (
        calendars_visible_to(one).filter(pk__in=calendars_visible_to(other).values("pk")).exists()
    )


def standing_in(calendar: Calendar, user: User) -> tuple[bool, bool, bool]:
    """Return whether somebody takes part in the calendar, is invited to it, and has a meeting there
    with a final time. One query.
    """
    named = Exists(MeetingAttendee.objects.filter(meeting=OuterRef("pk"), user=user))
    fixed = Meeting.objects.filter(named | Q(for_everyone=True), calendar=OuterRef("pk")).exclude(
        final_time=None
    )
    invited = Invitation.objects.filter(calendar=OuterRef("pk"), receiver=user, status="pending")
    found = Calendar.objects.filter(pk=calendar.pk).values_list(
        Exists(_seat(user.pk)), Exists(invited), Exists(fixed)
    )
    return found.first() or (False, False, False)


# Non-busy times -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody's seat in a calendar for as long as they change their times. `packed` is their times
    as migration 0002 describes.

    given: how many times those are, with those too short to be packed. waits, is_over: whether a
    meeting without a final time is before, or past, its deadline. has_scheduled: whether one is
    still to come.
    """

    user: User
    calendar: Calendar
    packed: str
    given: int
    waits: bool
    is_over: bool
    has_scheduled: bool


_LOCKED_SEAT = """
    SELECT p.packed, c.is_finalized,
        (SELECT COUNT(*) FROM calendars_nonbusytime w WHERE w.calendar_id = c.id AND w.user_id = p.user_id),
        EXISTS (SELECT 1 FROM calendars_meeting m WHERE m.calendar_id = c.id AND m.final_time IS NULL AND m.deadline > %s),
        EXISTS (SELECT 1 FROM calendars_meeting m WHERE m.calendar_id = c.id AND m.final_time IS NULL AND m.deadline <= %s),
        EXISTS (SELECT 1 FROM calendars_meeting m WHERE m.calendar_id = c.id AND m.final_time > %s)
    FROM calendars_calendarparticipant p JOIN calendars_calendar c ON c.id = p.calendar_id
    WHERE p.calendar_id = %s AND p.user_id = %s
"""


def locked_seat(user: User, calendar: Calendar) -> Seat:
    """Hold the calendar (actions/checks.py) and return the user's seat in it, both as they are now.
    By hand: each answer pays for it.

    All in one statement, so of the meetings and the count it sees what was there before it had to
    wait for somebody.
    """
    now = rows.moment(clock.now())
    lock = " FOR NO KEY UPDATE OF c, p" if connection.vendor == "postgresql" else ""
    row = rows.fetch_one(_LOCKED_SEAT + lock, [now, now, now, rows.uuid(calendar.pk), user.pk])
    if row is None:
        raise NotFound(_("There is no such calendar, or you are not part of it."))
    packed, calendar.is_finalized, given, waits, is_over, has_scheduled = row
    return Seat(user, calendar, packed, given, bool(waits), bool(is_over), bool(has_scheduled))


def windows_over(
    user: User, calendar: Calendar, start: datetime, end: datetime
) -> QuerySet[NonBusyTime]:
    """The user's times that reach over an edge of `[start, end)`."""
    touching = NonBusyTime.objects.filter(
        calendar=calendar, user=user, start_time__lt=end, end_time__gt=start
    )
    return touching.exclude(start_time__gte=start, end_time__lte=end)


def windows_from_to(
    user: User, calendar: Calendar, start: datetime, end: datetime
) -> QuerySet[NonBusyTime]:
    """The user's times that lie in `[start, end)`, reach over its edges or touch them, in order."""
    return NonBusyTime.objects.filter(
        calendar=calendar, user=user, start_time__lte=end, end_time__gte=start
    ).order_by("start_time")


def delete_windows(user: User, calendar: Calendar, start: datetime, end: datetime) -> int:
    """Delete the user's times that touch `[start, end)`. Returns how many."""
    where = "calendar_id = %s AND user_id = %s AND start_time < %s AND end_time > %s"
    parameters = [rows.uuid(calendar.pk), user.pk, rows.moment(end), rows.moment(start)]
    return rows.execute(f"DELETE FROM calendars_nonbusytime WHERE {where}", parameters)  # noqa: S608 (no input in it)


_INSERT_WINDOWS = (
    "INSERT INTO calendars_nonbusytime (id, user_id, calendar_id, start_time, "
    "end_time, preference_level)"
)
# One array a column, so that the server plans the same statement for one time and for thousands. As
# texts, because the server reads those faster than Python packs them one by one.
_INSERT_ARRAYS = """
    SELECT id, %s, %s, start_time, end_time, preference_level
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::smallint[]) AS t (id, start_time, end_time, preference_level)
"""


def insert_windows(windows: Sequence[NonBusyTime]) -> None:
    """Store new times of one person in one calendar, in one statement; without what the ORM adds to
    each.
    """
    if not windows:
        return
    whose = (windows[0].user_id, rows.uuid(windows[0].calendar_id))
    if connection.vendor == "postgresql":
        columns = zip(
            *[(w.pk, w.start_time, w.end_time, w.preference_level) for w in windows], strict=True
        )
        rows.execute(
            _INSERT_WINDOWS + _INSERT_ARRAYS,
            [*whose, *(f"{{{','.join(map(str, column))}}}" for column in columns)],
        )
        return
    stored = connection.ops.adapt_datetimefield_value
    for some in batched(windows, 1000, strict=False):
        values = [
            value
            for w in some
            for value in (
                w.pk.hex,
                *whose,
                stored(w.start_time),
                stored(w.end_time),
                w.preference_level,
            )
        ]
        rows.execute(
            f"{_INSERT_WINDOWS} VALUES {', '.join(['(%s, %s, %s, %s, %s, %s)'] * len(some))}",
            values,
        )


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
) -> rows.Listed:
    """Rows (id, user, start, end, preference) of the times the user may see: of one person, and
    touching `[start, end)`, if given.
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
    SELECT start_time, end_time, preference_level FROM calendars_nonbusytime WHERE calendar_id = %s AND user_id = %s ORDER BY start_time
"""


def own_window_rows(user: User, calendar: Calendar) -> list[tuple[datetime, datetime, int]]:
    """Rows (start, end, preference) of all the user's times in the calendar, in order."""
    found = rows.fetch_all(_OWN_WINDOWS, [rows.uuid(calendar.pk), user.pk])
    return [
        (rows.read_moment(start), rows.read_moment(end), preference)
        for start, end, preference in found
    ]


def windows_visible_to(user: User, calendar: Calendar) -> QuerySet[NonBusyTime]:
    rows = NonBusyTime.objects.filter(calendar=calendar)
    return rows if rules.may_see_windows_of_others(user, calendar) else rows.filter(user=user)


def window_for(user: User, calendar: Calendar, window_id: UUID) -> NonBusyTime:
    """Return one of the user's own times; NotAllowed for one of somebody else that they may see in
    the list.
    """
    window = windows_visible_to(user, calendar).filter(pk=window_id).first()
    if window is None:
        raise NotFound(_("There is no such time in this calendar."))
    if not rules.may_edit(user, window):
        raise NotAllowed(
            _(
                "This time belongs to somebody else, and only they can open it. You can see it in the calendar’s list of times."
            )
        )
    window.calendar = calendar
    return window


# Meetings -----------------------------------------------------------------------------------------


def meetings() -> QuerySet[Meeting]:
    """Meetings with `named`: who is named for each, as `12r,15o`, so that a list of them costs one
    query.
    """
    mark = Case(When(required=True, then=Value("r")), default=Value("o"))
    each = Concat(Cast("user_id", CharField()), mark, output_field=CharField())
    named = (
        MeetingAttendee.objects.filter(meeting=OuterRef("pk"))
        .order_by()
        .values("meeting")
        .annotate(all=StringAgg(each, delimiter=Value(",")))
        .values("all")
    )
    return Meeting.objects.annotate(named=Subquery(named))


def meetings_of(calendar: Calendar) -> QuerySet[Meeting]:
    return meetings().filter(calendar=calendar)


# Each with `named` as above, and with its suggestions.
_MEETINGS_SEEN = f"""
    SELECT w.n, m.final_time IS NULL, m.deadline > %s, {{named}}, {{suggestions}}, {_MEETING.sql}
    FROM (SELECT COUNT(*) AS n FROM calendars_invitation i WHERE i.calendar_id = %s AND i.status = 'pending') w
    LEFT JOIN calendars_meeting m ON m.calendar_id = %s ORDER BY m.deadline, m.id LIMIT 1000
"""  # noqa: S608 (column names only)
_SUGGESTIONS = rows.Nested(
    "calendars_schedulesuggestion s WHERE s.meeting_id = m.id",
    rows.columns_of(
        ScheduleSuggestion, "s", "id", "meeting_id", "author_id", "suggested_time", "created_at"
    ),
    "s.suggested_time, s.id",
)


def meeting_rows(calendar: Calendar, now: datetime) -> tuple[list[tuple[Any, ...]], int]:
    """Rows of all there is to know about the calendar's meetings, by deadline: (waits for its final
    time, has its deadline ahead, …); and, since that is asked anyway, how many invitations to it
    wait.

    Equal rows tell the same, so they can stand for their meetings in a key; `read_meeting` makes
    one of the whole row.
    """
    statement = _MEETINGS_SEEN.format(named=_named_sql(), suggestions=_SUGGESTIONS.sql)
    found = rows.fetch_all(
        statement, [rows.moment(now), rows.uuid(calendar.pk), rows.uuid(calendar.pk)]
    )
    return [row[1:] for row in found if row[2] is not None], found[0][
        0
    ]  # without meetings there is one row of none


def read_meeting(calendar: Calendar, row: tuple[Any, ...]) -> Meeting:
    """Return the meeting of a row of `meeting_rows`, with `named` as in `meetings`, and its
    suggestions as `suggested`.
    """
    _, _, named, suggestions, *columns = row
    meeting: Meeting = _MEETING.read(tuple(columns))
    meeting.calendar, meeting.named = calendar, named  # type: ignore[attr-defined]
    meeting.suggested = [
        ScheduleSuggestion(**each) for each in _SUGGESTIONS.read_named(suggestions)
    ]  # type: ignore[attr-defined]
    return meeting


def meeting_for(user: User, meeting_id: UUID, *, calendar_id: UUID | None = None) -> Meeting:
    """Return the meeting, of this calendar if one is given. Whoever may not enter the calendar
    learns nothing about its meetings.
    """
    missing = _("There is no such meeting, or you are not part of its calendar.")
    found = _found(user, calendar_id=calendar_id, meeting_id=meeting_id)
    _require_inside(found, missing)
    if found.meeting is None:
        raise NotFound(missing)
    return found.meeting


def meetings_to_come(*calendars: Calendar) -> QuerySet[Meeting]:
    """Meetings of these calendars whose final time is still to come, the next first."""
    found = meetings().filter(calendar__in=calendars, final_time__gt=clock.now())
    return found.select_related("calendar__owner").order_by("final_time", "id")


def meetings_ahead_for(user: User) -> QuerySet[Meeting]:
    """The meetings that are for the user and still to come, the next first."""
    is_named = Exists(MeetingAttendee.objects.filter(meeting=OuterRef("pk"), user=user))
    found = Meeting.objects.filter(
        Q(for_everyone=True) | is_named,
        final_time__gt=clock.now(),
        calendar__participants__user=user,
    )
    return found.select_related("calendar").order_by("final_time", "id")


def meetings_overdue_for(user: User) -> QuerySet[Meeting]:
    """The meetings that wait for the user, their owner, to fix them: past their deadline without a
    final time.
    """
    overdue = Meeting.objects.filter(
        calendar__owner=user,
        calendar__is_finalized=False,
        final_time=None,
        deadline__lte=clock.now(),
    )
    return overdue.select_related("calendar").order_by("deadline", "id")


def meetings_past_deadline(now: datetime) -> QuerySet[Meeting]:
    """Meetings whose deadline has passed without a final time and without their owner having been
    told.
    """
    rows = meetings().filter(announced_at=None, final_time=None, deadline__lte=now)
    return rows.select_related("calendar__owner").order_by("deadline", "id")


def plan_for(user: User, calendar_id: UUID) -> Plan:
    """Return the calendar's plan to its owner."""
    calendar = calendar_for(user, calendar_id)
    if not rules.may_manage(user, calendar):
        raise NotAllowed(_("Only the organiser can see the plan."))
    plan = with_people(Plan.objects.filter(calendar=calendar), "calendars_plan.calendar_id").first()
    if plan is None:
        raise NotFound(_("Nothing has been planned in this calendar yet."))
    plan.calendar = calendar
    remember_people(calendar, plan.people)
    return cast(Plan, plan)


@dataclass(frozen=True, slots=True)
class Busy:
    """When somebody is in a scheduled meeting, of whatever calendar here. Which one is told to
    nobody.
    """

    user_id: int
    start: datetime
    end: datetime
    buffer: timedelta


@dataclass(frozen=True, slots=True)
class ToPlan:
    """What a joint plan is computed from. meetings: open ones, the first made first. busy: of the
    calendar's people who have answered.
    """

    meetings: list[Meeting]
    busy: list[Busy]
    is_being_planned: bool


_OPEN = rows.Nested(
    """(SELECT * FROM calendars_meeting WHERE calendar_id = c.id AND final_time IS NULL{named} ORDER BY created_at, id LIMIT {most}) m""",
    {**rows.columns_of(Meeting, "m", *_MEETING.names), "named": (_NAMED, "plain")},
    "m.created_at, m.id",
)
_BUSY = rows.Nested(
    """calendars_calendarparticipant o JOIN calendars_meeting m ON m.calendar_id = o.calendar_id
       JOIN calendars_calendar k ON k.id = m.calendar_id
       WHERE m.final_time > %s AND o.user_id IN
           (SELECT p.user_id FROM calendars_calendarparticipant p WHERE p.calendar_id = c.id AND p.packed <> '')
       AND (m.for_everyone OR EXISTS (SELECT 1 FROM calendars_meetingattendee a WHERE a.meeting_id = m.id AND a.user_id = o.user_id))""",
    {
        "user_id": ("o.user_id", "plain"),
        "final_time": ("m.final_time", "time"),
        "minutes": ("COALESCE(m.duration_minutes, k.duration_minutes)", "plain"),
        "buffer_minutes": ("m.buffer_minutes", "plain"),
    },
    "m.final_time, m.id, o.user_id",
)


def to_plan(calendar: Calendar, *, named: Sequence[UUID], most: int, after: datetime) -> ToPlan:
    """Return what a plan of the calendar's open meetings, or of those named, is computed from;
    people come along. One query.

    most: how many meetings at most. after: of the scheduled meetings only those that begin after
    this.
    """
    condition = f" AND id IN ({', '.join(['%s'] * len(named))})" if named else ""
    join = "group_concat" if connection.vendor == "sqlite" else "string_agg"
    columns = [
        _PEOPLE.sql.format(calendar="c.id"),
        _OPEN.sql.format(named=condition, most=most, join=join),
        _BUSY.sql,
    ]
    columns.append(
        "EXISTS (SELECT 1 FROM calendars_plan l WHERE l.calendar_id = c.id AND l.status = 'running')"
    )
    statement = f"SELECT {', '.join(columns)} FROM calendars_calendar c WHERE c.id = %s"  # noqa: S608 (column names only)
    row = rows.fetch_one(
        statement, [*map(rows.uuid, named), rows.moment(after), rows.uuid(calendar.pk)]
    )
    if row is None:
        raise NotFound(_("There is no such calendar, or you are not part of it."))
    remember_people(calendar, row[0])
    meetings = []
    for *values, attendees in _OPEN.read(row[1]):
        meeting = Meeting.from_db("default", _MEETING.names, values)
        meeting.named, meeting.calendar = attendees, calendar  # type: ignore[attr-defined]
        meetings.append(meeting)
    return ToPlan(meetings, _read_busy(row[2]), bool(row[3]))


def busy_people(calendar: Calendar, *, after: datetime) -> list[Busy]:
    """Return when the calendar's people who have answered are in scheduled meetings, of whatever
    calendar, that begin after this.
    """
    statement = f"SELECT {_BUSY.sql} FROM calendars_calendar c WHERE c.id = %s"  # noqa: S608 (column names only)
    row = rows.fetch_one(statement, [rows.moment(after), rows.uuid(calendar.pk)])
    return _read_busy(row[0] if row else None)


def _read_busy(text: str | None) -> list[Busy]:
    minute = timedelta(minutes=1)
    return [
        Busy(user, start, start + minutes * minute, buffer * minute)
        for user, start, minutes, buffer in _BUSY.read(text)
    ]


_PLAN = [str(field.column) for field in Plan._meta.concrete_fields]
_STORE_PLAN = f"""
    INSERT INTO calendars_plan ({", ".join(_PLAN)}) VALUES ({", ".join(["%s"] * len(_PLAN))})
    ON CONFLICT (calendar_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in _PLAN)}
    WHERE calendars_plan.status <> 'running'
"""  # noqa: S608 (column names only)


def store_plan(plan: Plan) -> bool:
    """Store a new plan in place of its calendar's last one; False if that is being computed. One
    statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE_PLAN,
            [
                field.get_db_prep_save(getattr(plan, field.attname), connection)
                for field in Plan._meta.concrete_fields
            ],
        )
        return bool(cursor.rowcount)


def suggestions_of(meeting: Meeting) -> QuerySet[ScheduleSuggestion]:
    return ScheduleSuggestion.objects.filter(meeting=meeting).order_by("suggested_time", "id")


def suggestion_for(user: User, meeting_id: UUID, suggestion_id: UUID) -> ScheduleSuggestion:
    meeting = meeting_for(user, meeting_id)
    suggestion = ScheduleSuggestion.objects.filter(pk=suggestion_id, meeting=meeting).first()
    if suggestion is None:
        raise NotFound(_("This meeting has no such suggestion."))
    suggestion.meeting = meeting
    return suggestion


# Invitations --------------------------------------------------------------------------------------


def invitations_for(user: User, box: str) -> QuerySet[Invitation]:
    """The invitations somebody received, or sent."""
    return _invitations(Q(sender=user) if box == "sent" else _received(user))


def invitation_for(user: User, invitation_id: UUID) -> Invitation:
    """Return the invitation to its receiver, its sender or the calendar's owner."""
    return _there(_invitation(user, invitation_id).first())


def locked_invitation_for(user: User, invitation_id: UUID) -> Invitation:
    """Hold the invitation's calendar (actions/checks.py) and return the invitation like
    `invitation_for`, its calendar as it is now.
    """
    rows = _invitation(user, invitation_id).select_for_update(no_key=True, of=("calendar",))
    # If the calendar changed hands while this waited, PostgreSQL finds that its owner is not who
    # came along, and gives no row.
    return _there(rows.first() or rows.first())


def _invitation(user: User, invitation_id: UUID) -> QuerySet[Invitation]:
    return _invitations(_received(user) | Q(sender=user) | Q(calendar__owner=user)).filter(
        pk=invitation_id
    )


def _there(invitation: Invitation | None) -> Invitation:
    if invitation is None:
        raise NotFound(_("There is no such invitation."))
    return invitation


def _invitations(which: Q) -> QuerySet[Invitation]:
    return Invitation.objects.filter(which).select_related("calendar__owner", "sender", "receiver")


def _received(user: User) -> Q:
    """An invitation shows what its calendar is called now, so one that was accepted is seen as long
    as its receiver takes part.
    """
    return Q(receiver=user) & (~Q(status="accepted") | Q(Exists(_seat(user.pk, "calendar"))))


# The whole of one person --------------------------------------------------------------------------


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
    "owned_calendars": rows.Nested(
        "calendars_calendar c WHERE c.owner_id = u.id",
        rows.columns_of(Calendar, "c", *_OF_CALENDAR, "created_at"),
        "c.created_at",
    ),
    "participations": rows.Nested(
        "calendars_calendarparticipant p JOIN calendars_calendar c ON c.id = p.calendar_id WHERE p.user_id = u.id",
        {
            **rows.columns_of(CalendarParticipant, "p", "calendar_id"),
            "calendar__name": ("c.name", "plain"),
            **rows.columns_of(CalendarParticipant, "p", "required", "joined_at"),
        },
        "p.joined_at",
    ),
    "non_busy_times": rows.Nested(
        "calendars_nonbusytime w WHERE w.user_id = u.id",
        rows.columns_of(
            NonBusyTime, "w", "id", "calendar_id", "start_time", "end_time", "preference_level"
        ),
        "w.start_time",
    ),
    "suggestions": rows.Nested(
        "calendars_schedulesuggestion s WHERE s.author_id = u.id",
        rows.columns_of(ScheduleSuggestion, "s", "meeting_id", "suggested_time"),
        "s.created_at",
    ),
    "invitations_received": rows.Nested(
        "calendars_invitation i WHERE i.receiver_id = u.id",
        rows.columns_of(Invitation, "i", "calendar_id", "status", "created_at"),
        "i.created_at",
    ),
    "invitations_sent": rows.Nested(
        "calendars_invitation i WHERE i.sender_id = u.id",
        rows.columns_of(Invitation, "i", "calendar_id", "email", "status", "created_at"),
        "i.created_at",
    ),
}


def everything_about(user: User) -> dict[str, Any]:
    """Return all that is stored about the user (GDPR art. 15 and 20), without secrets. One query."""
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
