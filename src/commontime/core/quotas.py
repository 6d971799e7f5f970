"""Quotas: how much one person can keep, so that nobody fills the disk of all.

Each is a setting. Counting reads the person's own rows, and no more than the quota. Requests at
once can each pass the last free place: a person may end a few above, never without bound.
"""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.core.errors import Conflict

WAYS_OUT = {
    "calendars": gettext_noop(
        "One person can have %(n)d calendars. Delete those you no longer need."
    ),
    "meetings": gettext_noop(
        "One person can have %(n)d meetings in their calendars. Delete those you no longer need."
    ),
    "suggestions": gettext_noop(
        "One person can suggest %(n)d times for a meeting. Withdraw those that no longer suit you."
    ),
    "plans": gettext_noop(
        "One person can keep plans in %(n)d calendars. Delete calendars you no longer need."
    ),
    "invitations": gettext_noop(
        "%(n)d invitations of one person can wait for an answer. Withdraw some of yours first."
    ),
    "contacts": gettext_noop("One person can have %(n)d contacts. Remove some of yours first."),
    "text": gettext_noop(
        "The descriptions in one person’s calendars can have %(n)d characters together. Shorten "
        "this one, or delete calendars you no longer need."
    ),
}


def require_room(name: str, rows: QuerySet[Any], *, adding: int = 1) -> None:
    """Refuse to add to a person's rows what the quota does not allow."""
    if adding and not has_room(name, rows, adding=adding):
        raise used_up(name)


def has_room(name: str, rows: QuerySet[Any], *, adding: int) -> bool:
    room: int = settings.QUOTAS[name] - adding
    return room >= 0 and rows.order_by()[: room + 1].count() <= room


def used_up(name: str) -> Conflict:
    sentence = _(WAYS_OUT[name]) % {"n": settings.QUOTAS[name]}
    return Conflict(sentence, code="quota_reached")
