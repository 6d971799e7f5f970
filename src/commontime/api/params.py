"""Query parameters, read as strictly as a body."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from commontime.api import fields
from commontime.api.request import Request
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


def whole_param(request: Request, name: str, *, least: int, most: int) -> int | None:
    raw = request.query_params.get(name)
    if not raw:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not least <= int(raw) <= most:
        raise InvalidInput(f"{name} is a whole number from {least} to {most}.", field=name)
    return int(raw)


def users_param(request: Request, name: str) -> list[int]:
    """Return the user ids of a query parameter, which may come several times or with commas."""
    raw = [
        part for value in request.query_params.getlist(name) for part in value.split(",") if part
    ]
    if len(raw) > MOST_USERS or not all(
        part.isascii() and part.isdigit() and len(part) < 10 for part in raw
    ):
        raise InvalidInput(f"{name} is the id of a user, or several.", field=name)
    return [int(part) for part in raw]
