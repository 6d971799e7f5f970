"""Days, times and names in words."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from commontime.core import clock
from commontime.layout import grid
from commontime.layout.grid import Day, Key
from commontime.web.look import Look


def levels() -> dict[int, str]:
    return {0: _("not available"), 1: _("if need be"), 2: _("works"), 3: _("ideal")}


def day_name(day: date, *, short: bool = False) -> str:
    return dateformat.format(
        day, pgettext("a date", "D j M") if short else pgettext("a date", "l j F")
    )


def dated(day: datetime) -> str:
    """Return a day as people say it: "Mon 4 May".

    Another year than this one is added.
    """
    return day_name(day, short=True) + year_of(day, day.tzinfo)


def year_of(day: date, zone: tzinfo | None = None) -> str:
    """Return a day's year as the end of its name; nothing if it is this year."""
    return "" if day.year == clock.now().astimezone(zone).year else f" {day.year}"


def when(start: datetime, length: timedelta, look: Look) -> str:
    """Return a moment as people say it: "Mon 4 May, 9:00–10:30".

    The year is added if it is not the year of the days shown.
    """
    first, last = (look.local(moment) for moment in (start, start + length))
    later = "" if last.date() == first.date() else f"{day_name(last, short=True)} "
    year = "" if first.year == look.first.year else f" {first.year}"
    return f"{day_name(first, short=True)}{year}, {look.times(first, last, later=later)}"


def row_label(key: Key, look: Look) -> str:
    minute, again = key
    text = look.written(time(minute // 60, minute % 60)).replace(" ", "\xa0")
    return _("%(time)s again") % {"time": text} if again else text


def row_name(key: Key) -> str:
    """Return the name of a row in addresses and forms."""
    return f"{key[0]}.{key[1]}"


def day_of(day: Day) -> str:
    return day_name(datetime.combine(day.date, time()))


def until(deadline: datetime, look: Look) -> str:
    if deadline <= clock.now():
        return _("The deadline has passed")
    local = look.local(deadline)
    return _("Answer by %(day)s, %(time)s") % {"day": dated(local), "time": look.time(local)}


def percent(part: float) -> str:
    """Return a part of 1 in percent, with three digits and the reader's decimal sign."""
    return number_format(Decimal(f"{100 * part:.3g}"))


def as_json(value: object) -> str:
    """Return compact JSON for an attribute that a script reads."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def total(windows: Sequence[grid.Window]) -> str:
    """Return the total length of windows in words."""
    minutes = sum(end - start for start, end, _level in windows) / 60
    return clock.hours(timedelta(minutes=round(minutes)))
