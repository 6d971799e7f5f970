"""Refusals that several actions share."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from commontime.calendars import rules
from commontime.calendars.models import Calendar
from commontime.core.errors import Conflict, NotAllowed

LONGEST_WINDOW = timedelta(days=31)
MOST_WINDOWS = 2000
LONGEST_DURATION = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something allowed but probably not wanted. `about` holds what a program needs to show it."""

    code: str
    detail: str
    about: dict[str, Any]


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
