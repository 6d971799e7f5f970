"""A grid of days and hours in one zone, with every cell an exact stretch of time.

A day is as long as its clocks make it: one on which they change has 23, 24.5 or 25 hours, an hour
that comes twice has its rows twice, and an hour that is skipped has none. Moments are seconds since
1970 (int or float), stretches half-open.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

STEPS = (15, 30)  # minutes
WHOLE_DAY = (0, 24 * 60)
BANDS = (
    0,
    1,
    1,
    1,
    1,
    2,
    2,
    2,
    2,
    3,
    3,
    3,
)  # the level of a preference, at preference + 1; 0 = cannot
PREFERENCE = {1: 2, 2: 5, 3: 9}  # what a painted level is stored as: the middle of its band
DAY, QUARTER = 86_400, 900  # seconds
LONGEST = 31 * 86_400  # seconds of one window

type Key = tuple[
    int, int
]  # minute of the day on the clock, and 1 for the second time this minute comes
type Window = tuple[float, float, int]  # start, end, preference 0 to 10
type Run = tuple[float, float, int | None]  # start, end, preference; None: no time


@dataclass(frozen=True, slots=True)
class Day:
    """One column: the stretches of time by the row they stand in, and how many hours the whole day
    has.
    """

    date: date
    cells: dict[Key, tuple[int, int]]
    hours: float


@dataclass(frozen=True, slots=True)
class Grid:
    """rows: what stands in a row for each day that has it, in an order that is right for every day."""

    zone: ZoneInfo
    step: int
    days: list[Day]
    rows: list[Key]

    @property
    def cells(self) -> list[tuple[int, int]]:
        return [cell for day in self.days for cell in day.cells.values()]

    @property
    def span(self) -> tuple[int, int] | None:
        cells = self.cells
        return (min(start for start, _ in cells), max(end for _, end in cells)) if cells else None


@dataclass(frozen=True, slots=True)
class State:
    """How a person stands to a cell: the level that holds throughout it, and whether parts of it
    are better.
    """

    level: int
    mixed: bool


@lru_cache(maxsize=128)  # the same week is asked for several times a request, and every few seconds
def grid(
    zone: ZoneInfo, first: date, days: int, *, step: int = 30, hours: tuple[int, int] = WHOLE_DAY
) -> Grid:
    """Return the grid of so many days from the first, with the cells that begin within these
    minutes of the clock.
    """
    columns = [_day(zone, first + timedelta(days=number), step, hours) for number in range(days)]
    return Grid(zone, step, columns, _rows(columns))


def _day(zone: ZoneInfo, day: date, step: int, hours: tuple[int, int]) -> Day:
    begin, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
    cells = {}
    for start in range(begin, end, step * 60):
        local = datetime.fromtimestamp(start, zone)
        minute = local.hour * 60 + local.minute
        if hours[0] <= minute < hours[1]:
            cells[minute, local.fold] = (start, min(start + step * 60, end))
    return Day(day, cells, (end - begin) / 3600)


def midnight(zone: ZoneInfo, day: date) -> int:
    """Return when the day begins. Where the clocks skip midnight, that is when they skip it."""
    return int(datetime.combine(day, time(), zone).timestamp())


def turned_back(zone: ZoneInfo, first: date, days: int) -> list[tuple[int, int]]:
    """Return the stretches of these days that the clocks show twice: each time the first one, then
    the second.
    """
    found = []
    for number in range(days):
        day = first + timedelta(days=number)
        begin, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
        again = [
            start
            for start in range(begin, end, QUARTER)
            if end - begin > DAY and datetime.fromtimestamp(start, zone).fold
        ]
        if again:
            change, over = again[0], again[-1] + QUARTER
            found += [(2 * change - over, change), (change, over)]
    return found


def _rows(days: Sequence[Day]) -> list[Key]:
    """Merge the days' rows: what comes twice on one day stands behind what came before it there."""
    rows = sorted({key for day in days for key in day.cells if not key[1]})
    for day in days:
        before = -1
        for key in day.cells:
            if key not in rows:
                rows.insert(before + 1, key)
            before = rows.index(key)
    return rows


def hours_shown(
    zone: ZoneInfo, first: date, days: int, daily: tuple[int, int], home: ZoneInfo
) -> tuple[int, int]:
    """Return the whole hours, in minutes on the clocks of `zone`, that hold `daily`, which are
    minutes on the clocks of `home`.

    If those reach over midnight, that is the whole day.
    """
    earliest, latest = WHOLE_DAY[1], 0
    for number in range(days):
        day = datetime.combine(first + timedelta(days=number), time(), home)
        start, end = ((day + timedelta(minutes=minutes)).astimezone(zone) for minutes in daily)
        ends = end.hour * 60 + end.minute or WHOLE_DAY[1]
        if start.date() != (end - timedelta(minutes=1)).date():
            return WHOLE_DAY
        earliest, latest = min(earliest, start.hour * 60), max(latest, -(-ends // 60) * 60)
    return earliest, latest


# What somebody gave -------------------------------------------------------------------------------


def states(windows: Sequence[Window], cells: Iterable[tuple[int, int]]) -> list[State]:
    """Return how each cell stands by these windows, which do not overlap and are in order."""
    starts = [start for start, _, _ in windows]
    found = []
    for start, end in cells:
        covered, levels = 0.0, set()
        for window in windows[max(0, bisect_right(starts, start) - 1) :]:
            if window[0] >= end:
                break
            if (length := min(window[1], end) - max(window[0], start)) > 0:
                covered += length
                levels.add(BANDS[window[2] + 1])
        whole = covered >= end - start
        found.append(
            State(min(levels) if whole else 0, bool(levels) and (not whole or len(levels) > 1))
        )
    return found


def painted(
    windows: Iterable[Window], spans: Iterable[tuple[float, float]], preference: int | None
) -> list[Window]:
    """Return the windows with these spans at a preference, or without them if it is None. What lies
    outside the spans stays exactly.
    """
    spans = _joined(spans)
    kept = list(windows)
    for first, last in spans:
        parts = (
            [(start, min(end, first), each), (max(start, last), end, each)]
            for start, end, each in kept
        )
        kept = [part for pair in parts for part in pair if part[0] < part[1]]
    new = [] if preference is None else [(first, last, preference) for first, last in spans]
    return merged([*kept, *new])


def merged(windows: Iterable[Window]) -> list[Window]:
    """Return windows that do not overlap in order, those joined that touch and have the same
    preference, as far as one may last.
    """
    found: list[Window] = []
    for start, end, preference in sorted(windows):
        if found and found[-1][1:] == (start, preference) and end - found[-1][0] <= LONGEST:
            found[-1] = (found[-1][0], end, preference)
        else:
            found.append((start, end, preference))
    return found


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def changes(before: Iterable[Window], after: Iterable[Window]) -> list[Run]:
    """Return in order the stretches on which the two differ, with the preference afterwards."""
    one, other = sorted(before), sorted(after)
    edges = sorted({edge for start, end, _ in (*one, *other) for edge in (start, end)})
    was, now = _preferences(one, edges), _preferences(other, edges)
    return [
        (start, end, now[at])
        for at, (start, end) in enumerate(pairwise(edges))
        if was[at] != now[at]
    ]


def _preferences(windows: Sequence[Window], moments: Iterable[float]) -> list[int | None]:
    """Return the preference that holds from each moment on."""
    starts = [start for start, _, _ in windows]
    at = (bisect_right(starts, moment) - 1 for moment in moments)
    return [
        windows[place][2] if place >= 0 and windows[place][1] > moment else None
        for place, moment in zip(at, moments, strict=True)
    ]


def moved(windows: Iterable[Window], zone: ZoneInfo, source: date, target: date) -> list[Window]:
    """Return what one day's windows would be on another day by its clocks: cut to the day, a time
    that does not exist there left out.
    """
    begin, end = midnight(zone, source), midnight(zone, source + timedelta(days=1))
    first, last = midnight(zone, target), midnight(zone, target + timedelta(days=1))
    found: list[Window] = []
    for start, stop, preference in sorted(windows):
        if stop <= begin or start >= end:
            continue
        a = first if start <= begin else _same_clock(start, zone, target)
        b = last if stop >= end else _same_clock(stop, zone, target)
        a = max(a, found[-1][1]) if found else a
        if a < b:
            found.append((a, min(b, last), preference))
    return found


def _same_clock(moment: float, zone: ZoneInfo, target: date) -> float:
    local = datetime.fromtimestamp(moment, zone)
    return datetime.combine(target, local.timetz()).timestamp()
