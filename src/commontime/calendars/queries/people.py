"""The people of a calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import (
    Case,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from commontime.accounts.names import told_apart
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
)
from commontime.calendars.queries import calendars, meetings
from commontime.contacts.models import Contact
from commontime.core import rows
from commontime.core.errors import NotFound

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
        ("p.agreed_at IS NOT NULL", "flag"),
        ("p.joined_at", "time"),
    ],
    ["p.joined_at", "p.id"],
)


class Person(NamedTuple):
    """Somebody in a calendar; a tuple, because a page may need a thousand of them.

    packed: their non-busy times, as `calendars/guards` packs them; empty: they have not answered.
    has_agreed: whether they take part by their own doing.
    name: with the username where another person of the calendar has the same name.
    """

    user_id: int
    username: str
    first_name: str
    last_name: str
    email: str
    is_active: bool
    required: bool
    packed: str
    has_agreed: bool
    name: str


@dataclass(frozen=True)
class Roster:
    """Everybody in a calendar at one moment, in the order in which they joined."""

    calendar_id: UUID
    owner_id: int
    people: list[Person]

    @cached_property
    def by_id(self) -> dict[int, Person]:
        return {person.user_id: person for person in self.people}

    @property
    def active(self) -> list[Person]:
        """The people whose accounts are not deactivated."""
        return [person for person in self.people if person.is_active]

    @cached_property
    def together(self) -> frozenset[int]:
        """Return who is together with the owner: took part by their own doing.

        The one rule for what is known of people elsewhere: of the others nothing counts here, and
        nothing is told. Else whoever adds somebody could ask when that person is in meetings.
        """
        agreed = (person.user_id for person in self.people if person.has_agreed)
        return frozenset((self.owner_id, *agreed))


PEOPLE = rows.JsonRows(
    "calendars_calendarparticipant p JOIN auth_user u ON u.id = p.user_id WHERE p.calendar_id = "
    "{calendar}",
    {
        **rows.columns_of(
            User, "u", "id", "username", "first_name", "last_name", "email", "is_active"
        ),
        **rows.columns_of(CalendarParticipant, "p", "required", "packed"),
        "has_agreed": ("p.agreed_at IS NOT NULL", "flag"),
    },
    "p.joined_at, p.id",
)


def with_people(objects: QuerySet[Any], calendar: str) -> QuerySet[Any]:
    """Add `people` to each row, for `read_roster`. calendar: the column with the calendar's id."""
    people = RawSQL(PEOPLE.sql.format(calendar=calendar), [], TextField())  # noqa: S611 (no input)
    return cast(QuerySet[Any], objects.annotate(people=people))


def read_roster(calendar: Calendar, people: str | None) -> Roster:
    """Return the roster from what `PEOPLE` selected for the calendar."""
    people_rows = PEOPLE.read(people)
    names = told_apart(
        (user_id, f"{first} {last}".strip() or username, username)
        for user_id, username, first, last, *_ in people_rows
    )
    people_named = [Person._make((*row, names[row[0]])) for row in people_rows]
    return Roster(calendar.pk, calendar.owner_id, people_named)


def roster_of(calendar: Calendar) -> Roster:
    """Read the calendar's roster. One query."""
    row = rows.fetch_one(f"SELECT {PEOPLE.sql.format(calendar='%s')}", [rows.uuid(calendar.pk)])
    return read_roster(calendar, row[0] if row else None)


def roster_and_scheduled_of(calendar: Calendar) -> tuple[Roster, list[meetings.Scheduled]]:
    """Read the calendar's roster, and its scheduled meetings.

    Only those that may not be over. One query.
    """
    calendar_id = rows.uuid(calendar.pk)
    row = rows.fetch_one(
        f"SELECT {PEOPLE.sql.format(calendar='%s')}, {meetings.scheduled_sql()}",
        [calendar_id, calendar_id, rows.moment(meetings.not_over())],
    )
    people, scheduled = row or (None, None)
    return read_roster(calendar, people), meetings.read_scheduled(scheduled)


def participant_rows(calendar: Calendar) -> rows.Query:
    """Rows of the calendar's people.

    (id, user, username, first name, last name, required, answered, agreed, joined at).
    """
    return _PARTICIPANTS.where("p.calendar_id = %s", parameters=[rows.uuid(calendar.pk)])


def participants_of(calendar: Calendar) -> QuerySet[CalendarParticipant]:
    """The calendar's people with their names. `has_answered` once they gave any time."""
    # In a dictionary, because mypy takes an annotation that the model declares for a mistake.
    has_answered = {"has_answered": Case(When(packed="", then=Value(False)), default=Value(True))}
    return (
        CalendarParticipant.objects.filter(calendar=calendar)
        .select_related("user", "added_by")
        .annotate(**has_answered)
        .defer("packed")
    )


def participant_for(calendar: Calendar, participant_id: UUID) -> CalendarParticipant:
    participant = participants_of(calendar).filter(pk=participant_id).first()
    if participant is None:
        raise NotFound(_("Nobody in this calendar has this participant id."))
    participant.calendar = calendar
    return participant


def seats_shared_by(user: User, people: Sequence[int]) -> QuerySet[CalendarParticipant]:
    """The seats of these people in the calendars the user sees, ordered by calendar name."""
    seats = CalendarParticipant.objects.filter(
        user__in=people, calendar__in=calendars.calendars_visible_to(user)
    ).select_related("calendar")
    return seats.defer("packed").order_by("calendar__name", "calendar")


def is_known_to(user: User, user_id: int) -> bool:
    """Return whether the user shares a calendar with this person or has them as a contact."""
    seats = CalendarParticipant.objects.filter(user=user)
    shared = seats.filter(calendar__participants__user=user_id)
    kept = Contact.objects.filter(owner=user, contactee=user_id)
    return user_id == user.pk or shared.values("pk").union(kept.values("pk"), all=True).exists()


def possible_heirs(user: User) -> QuerySet[User]:
    """Return the active people who take part in all of the user's calendars."""
    calendar_count = Calendar.objects.filter(owner=user).count()
    in_all_of_them = (
        CalendarParticipant.objects.filter(calendar__owner=user)
        .exclude(user=user)
        .order_by()
        .values("user")
        .annotate(n=Count("pk"))
        .filter(n=calendar_count)
        .values("user")
    )
    return User.objects.filter(pk__in=in_all_of_them, is_active=True).order_by(
        "first_name", "last_name", "username"
    )


def takes_part_in_one_of(user: User, *, owner: User) -> bool:
    """Return whether the user is in this owner's calendar."""
    seats = CalendarParticipant.objects.filter(user=user, calendar__owner=owner)
    return seats.exists()


def standing_in(calendar: Calendar, user: User) -> tuple[bool, bool, bool, bool]:
    """Return what somebody has in the calendar.

    A seat, one by their own doing, an open invitation, a fixed meeting. One query.
    """
    seats = calendars.seat(user.pk)
    named = Exists(MeetingAttendee.objects.filter(meeting=OuterRef("pk"), user=user))
    fixed = Meeting.objects.filter(named | Q(for_everyone=True), calendar=OuterRef("pk")).exclude(
        final_time=None
    )
    invited = Invitation.objects.filter(calendar=OuterRef("pk"), receiver=user, status="pending")
    answer = Calendar.objects.filter(pk=calendar.pk).values_list(
        Exists(seats), Exists(seats.exclude(agreed_at=None)), Exists(invited), Exists(fixed)
    )
    return answer.first() or (False, False, False, False)
