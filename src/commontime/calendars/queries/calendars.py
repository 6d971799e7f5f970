"""Calendars that somebody sees."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import (
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from commontime.accounts import queries as accounts
from commontime.calendars import rules
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Meeting,
)
from commontime.calendars.queries import path
from commontime.core import clock, rows
from commontime.core.errors import InvalidInput, NotAllowed, NotFound
from commontime.core.shapes import Fields


def calendars_visible_to(user: User) -> QuerySet[Calendar]:
    """The user's own calendars and those they take part in.

    Two index look-ups: with OR instead, the database would look at every calendar there is.
    """
    owned = Calendar.objects.filter(owner=user).values("pk")
    joined = CalendarParticipant.objects.filter(user=user).values("calendar")
    return Calendar.objects.filter(pk__in=owned.union(joined, all=True))


def calendar_for(user: User, calendar_id: UUID) -> Calendar:
    """Return the calendar if the user owns it or takes part.

    NotAllowed while their invitation is pending.
    """
    return path.look_up(user, calendar_id=calendar_id).require_calendar()


def calendar_named(user: User, calendar_id: UUID) -> Calendar:
    """Return the calendar whose id came in a body.

    A missing or hidden one is bad input, in the same words.
    """
    try:
        return calendar_for(user, calendar_id)
    except NotFound:
        raise InvalidInput(_(path.NO_CALENDAR), field="calendar") from None


def require_owner(user: User, calendar: Calendar, what: str) -> None:
    """Refuse everybody but the calendar's owner. `what` completes the sentence that says so."""
    if not rules.may_manage(user, calendar):
        raise only_the_owner(what)


def only_the_owner(what: str) -> NotAllowed:
    return NotAllowed(_("Only the organiser can %(what)s.") % {"what": what})


def home_zone(user: User) -> str:
    return accounts.setting_of(user).time_zone


def calendar_list_for(user: User, roles: set[str]) -> QuerySet[Calendar]:
    """The user's calendars with what a list of them shows.

    That is `is_owner`, `answered`, `participant_count`, `meeting_count`.
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
            answered=Exists(seat(user.pk).exclude(packed="")),
            participant_count=Coalesce(Subquery(everyone), 0),
            meeting_count=Coalesce(Subquery(meetings), 0),
        )
    )


def with_progress(calendars: QuerySet[Calendar]) -> QuerySet[Calendar]:
    """Add `answered_count`, `next_deadline` and `has_closed` to each calendar.

    `has_closed`: whether a meeting without a final time is past its deadline.
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


def seat(user_id: int, calendar: str = "pk") -> QuerySet[CalendarParticipant]:
    return CalendarParticipant.objects.filter(calendar=OuterRef(calendar), user_id=user_id)


_COPIED = (
    "title",
    "description",
    "location",
    "deadline",
    "earliest",
    "latest",
    "duration_minutes",
    "quorum",
    "buffer_minutes",
    "auto_finalize",
)


def to_copy(calendar: Calendar) -> tuple[list[Fields], list[int]]:
    """Return what a copy of the calendar keeps.

    The fields of its meetings, and its active people.
    """
    meetings = Meeting.objects.filter(calendar=calendar).order_by("created_at", "id")
    people = CalendarParticipant.objects.filter(calendar=calendar, user__is_active=True)
    return (
        [dict(fields) for fields in meetings.values(*_COPIED)],
        list(people.order_by("joined_at", "id").values_list("user_id", flat=True)),
    )


_TEXT = """
    SELECT COALESCE((SELECT SUM(LENGTH(description)) FROM calendars_calendar
                     WHERE owner_id = %s), 0)
         + COALESCE((SELECT SUM(LENGTH(m.description)) FROM calendars_meeting m
                     JOIN calendars_calendar c ON c.id = m.calendar_id
                     WHERE c.owner_id = %s), 0)
"""


def text_of(owner: User) -> int:
    """Return how many characters the descriptions in the owner's calendars have."""
    row = rows.fetch_one(_TEXT, [owner.pk, owner.pk])
    return int(row[0]) if row else 0


def share_a_calendar(one: User, other: User) -> bool:
    return (
        calendars_visible_to(one).filter(pk__in=calendars_visible_to(other).values("pk")).exists()
    )
