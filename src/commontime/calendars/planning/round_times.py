"""Starts at :00 or :15 by the clocks of the calendar's zone, which may differ from UTC."""

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
    """Return the ticks at which the zone's clocks show a multiple of these minutes.

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
            before, after = max(changes[-1][0], day - DAY), day
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (
                    (middle, after) if ahead(middle) == changes[-1][1] else (before, middle)
                )
            changes.append((after, ahead(after)))
    return tuple(changes)
