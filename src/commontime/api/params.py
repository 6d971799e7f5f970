"""Query parameters, read as strictly as a body."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from rest_framework import serializers

from commontime.api import fields
from commontime.api.request import Request
from commontime.calendars.limits import Range
from commontime.core.errors import InvalidInput

MOST_USERS = 100


def moment_param(request: Request, name: str, zone: Any) -> datetime | None:
    """Return a query parameter as a UTC moment."""
    raw = request.query_params.get(name)
    if not raw:
        return None
    # A + that was not escaped arrives as a space.
    text = raw.replace(" ", "+") if raw.count(" ") == 1 and "T" in raw.upper() else raw
    try:
        return fields.instant(text, zone)
    except serializers.ValidationError as refusal:
        raise serializers.ValidationError({name: refusal.detail}) from None


def whole_param(request: Request, name: str, within: Range) -> int | None:
    """Return a query parameter as a whole number within limits."""
    raw = request.query_params.get(name)
    if not raw:
        return None
    # What is longer than nine digits is no number of ours, and may be costly to read.
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not within.has(int(raw)):
        raise InvalidInput(
            f"{name} is a whole number from {within.least} to {within.most}.", field=name
        )
    return int(raw)


def choice_param(request: Request, name: str, choices: Collection[str], default: str = "") -> str:
    """Return a query parameter that is one of these, or the default if it is left out."""
    value = request.query_params.get(name, default)
    if value != default and value not in choices:
        raise InvalidInput(f"{name} is one of: {', '.join(choices)}.", field=name)
    return value


def users_param(request: Request, name: str) -> list[int]:
    """Return the user ids of a query parameter. It may come several times or with commas."""
    raw = [
        part for value in request.query_params.getlist(name) for part in value.split(",") if part
    ]
    if len(raw) > MOST_USERS or not all(
        part.isascii() and part.isdigit() and len(part) < 10 for part in raw
    ):
        raise InvalidInput(f"{name} is the id of a user, or several.", field=name)
    return [int(part) for part in raw]
