"""Starts at :00 or :15 by the calendar's clocks. They may differ from UTC."""

from bisect import bisect_left
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from commontime import engine
from commontime.calendars.models import Calendar
from commontime.core import clock

DAY = 24 * 60
_MINUTE = timedelta(minutes=1)


def round_times(
    calendar: Calendar, align_minutes: int | None, first: int, last: int
) -> engine.Marks | None:
    """Return the ticks at which clocks show round times.

    Those are multiples of these minutes, in the calendar's zone.

    first, last: the ticks between which they are needed. Returns None if any minute will do.
    """
    if align_minutes is None:
        return None
    first, last = (
        min(max(tick, engine.start_tick(clock.EARLIEST)), engine.end_tick(clock.LATEST)) // DAY
        for tick in (first, last)
    )
    return engine.marks(align_minutes, _ahead(calendar.time_zone, first * DAY, (last + 1) * DAY))


@lru_cache(maxsize=64)
def _ahead(name: str, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Return pairs of a tick and how many minutes the zone is ahead of UTC from then on.

    The zone is looked up once a day. Where two days differ, halving finds the minute between.
    """
    zone = ZoneInfo(name)

    def ahead(tick: int) -> int:
        return (engine.moment_of(tick).astimezone(zone).utcoffset() or timedelta()) // _MINUTE

    changes = [(first, ahead(first))]
    for day in range(first + DAY, last + 1, DAY):
        while ahead(day) != changes[-1][1]:
            change = _first_change(ahead, max(changes[-1][0], day - DAY), day)
            changes.append((change, ahead(change)))
    return tuple(changes)


def _first_change(ahead: Callable[[int], int], first: int, last: int) -> int:
    """Return when clocks first differ from those at `first`."""
    before = ahead(first)
    return first + bisect_left(range(first, last), True, key=lambda tick: ahead(tick) != before)
