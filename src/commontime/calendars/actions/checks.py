"""Locks and refusals that several actions share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.accounts import queries as accounts
from commontime.calendars import limits, queries
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting, Plan
from commontime.calendars.queries import path
from commontime.calendars.queries.calendars import require_owner
from commontime.calendars.queries.people import Person, Roster, read_roster, roster_of
from commontime.calendars.queries.plans import not_planned
from commontime.core import quotas, text
from commontime.core.errors import Conflict, NotFound
from commontime.core.shapes import Fields
from commontime.core.turns import take_turns
from commontime.mail import allowance


@dataclass(frozen=True, slots=True)
class Caution:
    """Something allowed but probably not wanted. `about` holds what a program needs to show it."""

    code: str
    detail: str
    about: Fields

    @property
    def fields(self) -> Fields:
        return {"code": self.code, "detail": self.detail, **self.about}


# Taking turns -------------------------------------------------------------------------------------
#
# An action that changes a calendar first holds it: it locks the calendar's row. What it reads after
# that stays true until its transaction ends. All actions lock this row before any other, so no two
# wait for each other. SQLite has one writer at a time anyway.


def hold(calendar: Calendar) -> None:
    """Hold the calendar, and bring it up to date. It is held until the end of the transaction."""
    _bring_up_to_date(calendar, _locked(calendar, Calendar.objects.all()))


def held_named(user: User, calendar_id: UUID) -> Calendar:
    """Hold the calendar whose id came in a body, and return it as it is now.

    Refuses like `queries.calendars.calendar_named`.
    """
    rows = (
        queries.calendars.calendars_visible_to(user)
        .select_related("owner")
        .select_for_update(no_key=True, of=("self",))
    )
    calendar: Calendar | None = rows.filter(pk=calendar_id).first()
    if calendar is None:
        # It is hidden, or it got another owner while this waited for the row. PostgreSQL then
        # returns nothing, because the owner it had joined no longer matches.
        calendar = queries.calendars.calendar_named(user, calendar_id)
        hold(calendar)
    return calendar


def hold_with_people(calendar: Calendar) -> Roster:
    """Hold the calendar like `hold`, and return its people as they are now."""
    current = _locked(
        calendar, queries.people.with_people(Calendar.objects.all(), "calendars_calendar.id")
    )
    return _bring_up_to_date_with_people(calendar, current, current)


def hold_with_seat(calendar: Calendar, user: int) -> CalendarParticipant | None:
    """Hold the calendar like `hold`, and somebody's seat in it.

    Returns the seat with its user, or None if they have none.
    """
    rows = CalendarParticipant.objects.select_related("calendar", "user").select_for_update(
        no_key=True, of=("calendar", "self")
    )
    seat = rows.filter(calendar=calendar, user=user).first()
    if seat is None:
        hold(calendar)
    else:
        _bring_up_to_date(calendar, seat.calendar)
    return seat


def held(meeting: Meeting) -> tuple[Meeting, Roster]:
    """Hold the meeting and its calendar, like `hold`.

    Returns the meeting and the calendar's people as they are now.
    """
    rows = queries.people.with_people(
        queries.meetings.with_attendees(), "calendars_meeting.calendar_id"
    ).select_related("calendar")
    current: Meeting | None = (
        rows.select_for_update(no_key=True, of=("calendar", "self")).filter(pk=meeting.pk).first()
    )
    if current is None:
        raise NotFound(_(path.NO_MEETING))
    roster = _bring_up_to_date_with_people(meeting.calendar, current.calendar, current)
    current.calendar = meeting.calendar
    return current, roster


def held_unchanged(meeting: Meeting) -> tuple[Meeting, Roster]:
    """Hold the meeting like `held`; Conflict if somebody changed it since it was read."""
    current, roster = held(meeting)
    if current.version != meeting.version:
        raise Conflict(
            _(
                "Somebody else changed this meeting at the same time. Load it again, then repeat "
                "your change."
            ),
            code="changed_meanwhile",
        )
    return current, roster


def held_plan(calendar: Calendar) -> Plan:
    """Hold the calendar and its plan until the end of the transaction.

    Returns the plan as it is now.
    """
    rows = Plan.objects.select_related("calendar").select_for_update(
        no_key=True, of=("calendar", "self")
    )
    plan = rows.filter(calendar=calendar).first()
    if plan is None:
        raise not_planned()
    _bring_up_to_date(calendar, plan.calendar)
    plan.calendar = calendar
    return plan


def hold_final_times() -> None:
    """Let only one transaction at a time set final times.

    Each of them looks at the final times of other calendars. Hold the calendar first: whoever gets
    past here then waits for nobody.
    """
    take_turns("final times")


def hold_all(user: User) -> list[Calendar]:
    """Hold every calendar the user sees. Always in the same order."""
    return list(
        queries.calendars.calendars_visible_to(user).select_for_update(no_key=True).order_by("pk")
    )


def _locked(calendar: Calendar, rows: QuerySet[Calendar]) -> Calendar:
    current = rows.select_for_update(no_key=True, of=("self",)).filter(pk=calendar.pk).first()
    if current is None:
        raise NotFound(_(path.NO_CALENDAR))
    return current


def _bring_up_to_date(calendar: Calendar, current: Calendar) -> None:
    for field in Calendar._meta.concrete_fields:
        setattr(calendar, field.attname, getattr(current, field.attname))


def _bring_up_to_date_with_people(calendar: Calendar, current: Calendar, row: Any) -> Roster:
    """Make the calendar what it is now, and return its people. row: what `with_people` selected.

    After waiting for a row, PostgreSQL returns the row as it is now, but the people selected with
    it as they were before the wait. Every change of people raises the calendar's version. So if it
    is another version than an earlier statement read, the people are read again.
    """
    is_same = calendar.version == current.version
    _bring_up_to_date(calendar, current)
    if is_same:
        return read_roster(calendar, row.people)
    return roster_of(calendar)


# What is refused ----------------------------------------------------------------------------------


def clean_texts(thing: Calendar | Meeting) -> None:
    """Make the description and the place what is stored of them."""
    thing.description = text.many_lines(
        thing.description, field="description", longest=limits.DESCRIPTION
    )
    thing.location = text.one_line(thing.location, field="location", longest=limits.PLACE)


def keep_same(thing: Calendar | Meeting, before: Fields) -> Fields:
    """Put back what reads the same as before, and return the values that are new."""
    changes = {}
    for field, old in before.items():
        if text.is_same(getattr(thing, field), old):
            setattr(thing, field, old)
        else:
            changes[field] = getattr(thing, field)
    return changes


def check_moments(thing: Calendar | Meeting, *fields: str) -> None:
    for field in fields:
        limits.check_moment(getattr(thing, field), field=field)


def require_running(calendar: Calendar) -> None:
    if calendar.is_finalized:
        raise Conflict(
            _("Planning in this calendar is finished. The organiser can reopen it."),
            code="calendar_finalized",
        )


def require_planner(user: User, calendar: Calendar, what: str) -> None:
    """Refuse all but the owner, and the owner too once planning is finished."""
    require_owner(user, calendar, what)
    require_running(calendar)


def about_addresses(by: User, people: Sequence[Person]) -> Iterator[Caution]:
    """Say whose mails are kept back until an address is confirmed: those of `by`, or to people."""
    unconfirmed = accounts.unconfirmed({by.pk, *(person.user_id for person in people)})
    if by.pk in unconfirmed:
        yield Caution(
            "address_not_confirmed",
            _("Your email address isn’t confirmed. Until it is, nobody gets an email from you."),
            {"users": [by.pk]},
        )
    elif unconfirmed:
        names = [person.name for person in people if person.user_id in unconfirmed]
        said = ngettext(
            "%(names)s: no emails until they have confirmed their address.",
            "%(names)s: no emails until they have confirmed their addresses.",
            len(names),
        )
        about = {"users": sorted(unconfirmed)}
        yield Caution("address_not_confirmed", said % {"names": ", ".join(names[:5])}, about)


def require_meeting_room(owner: User, *, adding: int = 1) -> None:
    meetings = Meeting.objects.filter(calendar__owner=owner)
    quotas.require_room("meetings", meetings, adding=adding)


def require_text_room(owner: User, *texts: str, before: str = "") -> None:
    """Refuse texts for which the owner's calendars have no room. before: what they replace."""
    adding = sum(map(len, texts)) - len(before)
    if adding > 0 and queries.calendars.text_of(owner) + adding > settings.QUOTAS["text"]:
        raise quotas.used_up("text")


def invitations_open_of(sender: User) -> QuerySet[Invitation]:
    return Invitation.objects.filter(sender=sender, status="pending")


def mails_that_wait(user: User) -> list[Caution]:
    """Return the caution that what the user causes now is mailed when the day is over."""
    if not allowance.is_used_up(user.pk):
        return []
    said = _(
        "You’ve had as many emails sent today as one person can. The others go out when the day is "
        "over."
    )
    return [Caution("mails_wait", said, {})]


def about_mails(people: Sequence[Person], *, by: User) -> list[Caution]:
    """Return what keeps back the mails that `by` causes to these people now."""
    return [*about_addresses(by, people), *mails_that_wait(by)] if people else []


def heed(warnings: list[Caution], *, strict: bool) -> None:
    """Refuse what is warned of, if the caller is strict."""
    if strict and warnings:
        raise Conflict(
            warnings[0].detail,
            code=warnings[0].code,
            extra={"warnings": [warning.fields for warning in warnings]},
        )
