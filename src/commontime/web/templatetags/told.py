"""Days and times as their reader writes them.

`{{ moment|day }}` shows a moment; `{{ field.value|told:clock }}` shows a field's value below the
field, because browsers show fields in their own format.
"""

from datetime import date, datetime, time
from typing import Any

from django import template
from django.utils import dateformat, timezone

from commontime.web.words import dated, day_name, year_of

register = template.Library()


@register.filter
def told(value: Any, clock: str) -> str:
    """Return a day, a time or both in words. Other values give nothing."""
    value = _read(value) if isinstance(value, str) else value
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    parts = [day_name(value) + year_of(value)] if isinstance(value, date) else []
    if isinstance(value, datetime | time):
        parts.append(dateformat.time_format(value, clock).lower())
    return ", ".join(parts)


@register.filter
def day(moment: datetime) -> str:
    """Return the day of a moment. Another year than this one is added."""
    return dated(timezone.localtime(moment))


def _read(text: str) -> date | time | None:
    for read in (time.fromisoformat, date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None
