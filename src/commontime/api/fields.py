"""Input fields that take exactly what JSON says.

They refuse "1" for 1, true for 1, and a local time for an instant.
"""

import re
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from rest_framework import serializers

from commontime.calendars.limits import Range
from commontime.core import clock, errors, text
from commontime.layout.wall_clock import moments_of

# A moment in an answer: always in UTC, with Z.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
# Python itself reads an offset of 60 minutes and more.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?[0-5]\d)?", re.ASCII
)
LARGEST_USER_ID = 2**31 - 1


class Text(serializers.CharField):
    """One line of text, trimmed; `lines=True` for several lines."""

    def __init__(self, *, longest: int, lines: bool = False, **kwargs: Any) -> None:
        self.longest, self.lines = longest, lines
        super().__init__(max_length=longest, **kwargs)
        self.validators = []

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is serializers.empty or (data is None and self.allow_null):
            return super().run_validation(data)
        return self.to_internal_value(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Send a string.")
        try:
            if self.lines:
                return text.many_lines(data, field="", longest=self.longest)
            return text.one_line(
                data, field="", longest=self.longest, required=not self.allow_blank
            )
        except errors.InvalidInput as refusal:
            raise serializers.ValidationError(refusal.detail) from None


class Verbatim(serializers.CharField):
    """Text taken as it is: passwords, and names that the actions judge."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is serializers.empty or data is None:
            return super().run_validation(data)
        if not isinstance(data, str):
            raise serializers.ValidationError("Send text in quotes.")
        if data == "" and not self.allow_blank:
            raise serializers.ValidationError("This can’t be blank.")
        if "\x00" in data or any("\ud800" <= c <= "\udfff" for c in data):
            raise serializers.ValidationError("This is not valid Unicode text.")
        return data


class Whole(serializers.IntegerField):
    """A whole number; `within`: the smallest and the largest."""

    def __init__(self, *, within: Range | None = None, **kwargs: Any) -> None:
        if within is not None:
            kwargs |= {"min_value": within.least, "max_value": within.most}
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Send a whole number.")
        return data


class UserId(Whole):
    """The id of a user. An impossible one becomes 0, which nobody has."""

    def to_internal_value(self, data: Any) -> int:
        value = super().to_internal_value(data)
        return value if 0 < value <= LARGEST_USER_ID else 0


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Send true or false.")
        return data


class Id(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            raise serializers.ValidationError("Send the id as a string.")
        try:
            return UUID(data)
        except ValueError:
            raise serializers.ValidationError("This isn’t a valid id.") from None


class Instant(serializers.DateTimeField):
    """A moment in ISO 8601, passed on as UTC.

    Without an offset it is local in the `zone` of the context.
    """

    def to_internal_value(self, data: Any) -> datetime:
        return instant(data, self.context.get("zone") or UTC)

    def to_representation(self, value: Any) -> Any:
        return value


def instant(data: Any, zone: tzinfo) -> datetime:
    """Return the UTC moment of an ISO 8601 text.

    Fractions are cut to microseconds. A naive one is local in `zone`; one that a change of the
    clocks skips or repeats is refused (RFC 5545 3.3.5 leaves it to us).
    """
    if not isinstance(data, str) or not _ISO.fullmatch(data):
        raise serializers.ValidationError("Send a date and time such as 2026-11-23T09:00:00Z.")
    try:
        parsed = datetime.fromisoformat(data.upper())
        if parsed.tzinfo is None:
            parsed = _local(parsed, zone)
        moment = parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise serializers.ValidationError(
            "Send a date and time such as 2026-11-23T09:00:00Z."
        ) from None
    if not clock.is_stored(moment):
        raise serializers.ValidationError("Send a date and time in the years 2000 to 2099.")
    return moment


def _local(naive: datetime, zone: tzinfo) -> datetime:
    moments, is_skipped = moments_of(naive, zone)
    if len(moments) == 1:
        return moments[0]
    earlier, later = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments)
    if is_skipped:
        raise serializers.ValidationError(
            f"This local time does not exist: the clocks go forward over it. Send {earlier} or "
            f"{later}.",
            code="nonexistent_time",
        )
    raise serializers.ValidationError(
        f"This local time comes twice when the clocks go back. Send {earlier} or {later}.",
        code="ambiguous_time",
    )


def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)
