"""Weeks with days as columns and what happens in them placed by the clock. Pure: values in, values
out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

STEP = 5  # minutes a row stands for
DAY = 24 * 60
ROOMY = (
    (30, 1),
    (15, 2),
    # from so many minutes of the shortest entry on, a row needs no more than so many times its height
)


@dataclass(frozen=True, slots=True)
class Entry[What]:
    """Something from `start` to `end`."""

    start: datetime
    end: datetime
    what: What


@dataclass(frozen=True, slots=True)
class Slot[What]:
    """Where an entry stands in its day: so many hours and rows below the week's first hour, so
    long, and in which lane, from 1.

    Below are whole hours (`down`) and rows beyond (`below`); likewise its length (`long`, `over`).
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
    """The days from the first to the last with an entry, and the hours from the earliest to the
    latest. scale: how high a row must be.
    """

    days: list[Day[What]]
    hours: range
    scale: int


def weeks[What](
    entries: Iterable[Entry[What]], zone: ZoneInfo, first_weekday: int
) -> list[Week[What]]:
    """Return the weeks in which something is, in order. Clocks decide: on a day on which they
    change, lengths are the real ones.
    """
    by_day: dict[date, list[tuple[int, int, What]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.end)):
        local = entry.start.astimezone(zone)
        start = (local.hour * 60 + local.minute) // STEP * STEP
        length = max(STEP, -(-int((entry.end - entry.start).total_seconds()) // (60 * STEP)) * STEP)
        by_day.setdefault(local.date(), []).append((start, min(start + length, DAY), entry.what))

    def week_of(day: date) -> date:
        return day - timedelta(days=(day.weekday() - first_weekday) % 7)

    return [
        _week({day: by_day[day] for day in days}) for _, days in groupby(sorted(by_day), week_of)
    ]


def _week[What](by_day: dict[date, list[tuple[int, int, What]]]) -> Week[What]:
    spans = [span for day in by_day.values() for span in day]
    hours = range(
        min(start for start, _, _ in spans) // 60, -(-max(end for _, end, _ in spans) // 60)
    )
    first, last = min(by_day), max(by_day)
    shown = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    shortest = min(end - start for start, end, _ in spans)
    scale = next((scale for least, scale in ROOMY if shortest >= least), 3)
    return Week(
        [Day(day, _slots(by_day.get(day, []), hours.start * 60)) for day in shown], hours, scale
    )


def _slots[What](spans: Sequence[tuple[int, int, What]], begin: int) -> list[Slot[What]]:
    """Place a day's entries side by side where they overlap."""
    ends: list[int] = []  # of the last one in each lane
    slots = []
    for start, end, what in spans:
        lane = next((lane for lane, busy in enumerate(ends) if busy <= start), len(ends))
        ends[lane : lane + 1] = [end]
        down, below = divmod(start - begin, 60)
        long, over = divmod(end - start, 60)
        slots.append(Slot(what, down, below // STEP, long, over // STEP, lane + 1))
    return slots
