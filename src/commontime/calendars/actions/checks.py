"""Refusals that several actions share."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from commontime.calendars import planning, queries, rules
from commontime.calendars.models import Calendar, Meeting
from commontime.core.errors import Conflict, NotAllowed, NotFound

LONGEST_WINDOW = timedelta(days=31)
MOST_WINDOWS = 2000
LONGEST_DURATION = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something allowed but probably not wanted. `about` holds what a program needs to show it."""

    code: str
    detail: str
    about: dict[str, Any]


# Taking turns -------------------------------------------------------------------------------------------------------
#
# Whatever changes a calendar holds its row first and looks then. So nothing that was looked at changes before the end of the transaction;
# and as all who write queue at the same place, nobody waits for somebody who waits for them. SQLite has one writer at a time anyway.


def hold(calendar: Calendar) -> None:
    """Hold the calendar until the end of the transaction, and bring it up to date."""
    now = Calendar.objects.select_for_update(no_key=True).filter(pk=calendar.pk).first()
    if now is None:
        raise NotFound("There is no such calendar, or you are not part of it.")
    _bring_up_to_date(calendar, now)


def held(meeting: Meeting) -> Meeting:
    """Hold the meeting and its calendar until the end of the transaction. Returns the meeting as it is now."""
    rows = queries.meetings().select_related("calendar").select_for_update(no_key=True, of=("calendar", "self"))
    now = rows.filter(pk=meeting.pk).first()
    if now is None:
        raise NotFound("There is no such meeting, or you are not part of its calendar.")
    _bring_up_to_date(meeting.calendar, now.calendar)
    now.calendar = meeting.calendar
    return now


def held_unchanged(meeting: Meeting) -> Meeting:
    """Hold the meeting like `held`; Conflict if somebody changed it since it was read."""
    now = held(meeting)
    if now.version != meeting.version:
        raise Conflict("Somebody changed this meeting at the same moment. Read it again.", code="changed_meanwhile")
    return now


def hold_all(user: User) -> list[Calendar]:
    """Hold every calendar the user owns or takes part in, always in the same order."""
    return list(queries.calendars_visible_to(user).select_for_update(no_key=True).order_by("pk"))


def _bring_up_to_date(calendar: Calendar, now: Calendar) -> None:
    for field in Calendar._meta.concrete_fields:
        setattr(calendar, field.attname, getattr(now, field.attname))
    planning.forget_people(calendar)


# What is refused ----------------------------------------------------------------------------------------------------


def require_owner(user: User, calendar: Calendar, what: str) -> None:
    if not rules.may_manage(user, calendar):
        raise NotAllowed(f"Only the calendar's owner can {what}.")


def require_running(calendar: Calendar) -> None:
    if calendar.is_finalized:
        raise Conflict("This calendar is finalised. Its owner can reopen it by setting is_finalized to false.", code="calendar_finalized")


def heed(warnings: list[Caution], *, strict: bool) -> None:
    """Refuse what would only be warned of, if the caller asked to be strict."""
    if strict and warnings:
        raise Conflict(
            warnings[0].detail,
            code=warnings[0].code,
            extra={"warnings": [{"code": w.code, "detail": w.detail, **w.about} for w in warnings]},
        )
