"""Weeks as timetables. Days are columns, and entries are placed by the clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

STEP = 5  # minutes per row
DAY = 24 * 60
# (minutes of the shortest entry, how many times its height a row needs); 3 below them.
SCALES = ((30, 1), (15, 2))

type Minutes[What] = tuple[int, int, What]  # start and end in minutes of the day


@dataclass(frozen=True, slots=True)
class Entry[What]:
    """Something from `start` to `end`."""

    start: datetime
    end: datetime
    what: What


@dataclass(frozen=True, slots=True)
class Slot[What]:
    """The place of an entry in its day.

    It is counted from the week's first hour. It begins `down` whole hours and `below` rows further
    down, lasts `long` hours and `over` rows, and stands in a lane, from 1.
    """

    what: What
    down: int
    below: int
    long: int
    over: int
    lane: int


@dataclass(frozen=True, slots=True)
class Day[What]:
    date: date
    slots: list[Slot[What]]


@dataclass(frozen=True, slots=True)
class Week[What]:
    """The days and hours of a week that hold all entries.

    The days go from the first to the last with an entry.

    scale: how many times its normal height a row needs.
    """

    days: list[Day[What]]
    hours: range
    scale: int


def weeks[What](
    entries: Iterable[Entry[What]], zone: ZoneInfo, first_weekday: int
) -> list[Week[What]]:
    """Return the weeks with entries, in order.

    Starts follow the clock; lengths are real, also on a day when clocks change.
    """
    by_day: dict[date, list[Minutes[What]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.end)):
        day, minutes = _minutes(entry, zone)
        by_day.setdefault(day, []).append(minutes)
    by_week = groupby(sorted(by_day), lambda day: _first_of_week(day, first_weekday))
    return [_week({day: by_day[day] for day in days}) for _, days in by_week]


def _first_of_week(day: date, first_weekday: int) -> date:
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def _minutes[What](entry: Entry[What], zone: ZoneInfo) -> tuple[date, Minutes[What]]:
    """Return the day of an entry, and its minutes.

    They are rounded to rows, and at least one row long.
    """
    local = entry.start.astimezone(zone)
    start = (local.hour * 60 + local.minute) // STEP * STEP
    length = -(-int((entry.end - entry.start).total_seconds()) // (60 * STEP)) * STEP
    return local.date(), (start, min(start + max(STEP, length), DAY), entry.what)


def _week[What](by_day: dict[date, list[Minutes[What]]]) -> Week[What]:
    spans = [span for day in by_day.values() for span in day]
    earliest, latest = min(start for start, _, _ in spans), max(end for _, end, _ in spans)
    hours = range(earliest // 60, -(-latest // 60))
    first, last = min(by_day), max(by_day)
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    days = [Day(day, _slots(by_day.get(day, []), hours.start * 60)) for day in dates]
    return Week(days, hours, _scale(min(end - start for start, end, _ in spans)))


def _scale(shortest: int) -> int:
    """Return how many times its normal height a row needs. The shortest entry decides."""
    return next((scale for minutes, scale in SCALES if shortest >= minutes), 3)


def _slots[What](spans: Sequence[Minutes[What]], begin: int) -> list[Slot[What]]:
    """Place a day's entries side by side where they overlap."""
    ends: list[int] = []  # the end of the last entry in each lane
    slots = []
    for start, end, what in spans:
        lane = next((lane for lane, lane_end in enumerate(ends) if lane_end <= start), len(ends))
        ends[lane : lane + 1] = [end]
        down, below = divmod(start - begin, 60)
        long, over = divmod(end - start, 60)
        slots.append(Slot(what, down, below // STEP, long, over // STEP, lane + 1))
    return slots
