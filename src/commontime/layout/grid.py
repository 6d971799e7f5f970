"""A grid of days and hours in one zone. Every cell is an exact stretch of time.

A day on which clocks change has 23, 24.5 or 25 hours. An hour that comes twice has its rows twice;
a skipped hour has none. Moments are seconds since 1970 (int or float), stretches are half-open.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from zoneinfo import ZoneInfo

STEPS = (15, 30)  # minutes
WHOLE_DAY = (0, 24 * 60)
BANDS = (0, *[1] * 4, *[2] * 4, *[3] * 3)  # the level of each preference from -1, can't come, on
PREFERENCE = {1: 2, 2: 5, 3: 9}  # what a painted level is stored as: the middle of its band
DAY, QUARTER = 86_400, 900  # seconds
LONGEST = 31 * 86_400  # seconds of one window

type Key = tuple[int, int]  # minute of the day on the clock; 1 if it comes for the second time
type Window = tuple[float, float, int]  # start, end, preference 0 to 10
type Stretch = tuple[int, int]  # start, end
type Run = tuple[float, float, int | None]  # start, end, preference; None: no time


@dataclass(frozen=True, slots=True)
class Day:
    """One column: its cells by row. hours: of the whole day."""

    date: date
    cells: dict[Key, Stretch]
    hours: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Days as columns. `rows` is an order of all keys that is right for every day."""

    zone: ZoneInfo
    step: int
    days: list[Day]
    rows: list[Key]

    @property
    def cells(self) -> list[Stretch]:
        return [cell for day in self.days for cell in day.cells.values()]

    @property
    def span(self) -> Stretch | None:
        cells = self.cells
        return (min(start for start, _ in cells), max(end for _, end in cells)) if cells else None


@dataclass(frozen=True, slots=True)
class State:
    """A person's answer in a cell. level: of all of it; mixed: whether parts are better."""

    level: int
    mixed: bool


@lru_cache(maxsize=128)  # the same week is asked for several times a request, and every few seconds
def grid(
    zone: ZoneInfo, first: date, days: int, *, step: int = 30, hours: tuple[int, int] = WHOLE_DAY
) -> Grid:
    """Return a grid of `days` days.

    hours: minutes of the clock; cells begin from the first up to, not including, the second.
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
    """Return when the day begins. Where clocks skip midnight, it is the moment of the change."""
    return int(datetime.combine(day, time(), zone).timestamp())


def turned_back(zone: ZoneInfo, first: date, days: int) -> list[Stretch]:
    """Return the stretches that clocks show twice, each as its first and its second turn."""
    stretches = []
    for number in range(days):
        day = first + timedelta(days=number)
        begin, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
        again = [
            start
            for start in range(begin, end, QUARTER)
            if end - begin > DAY and datetime.fromtimestamp(start, zone).fold
        ]
        if again:
            change, end_of_second = again[0], again[-1] + QUARTER
            stretches += [(2 * change - end_of_second, change), (change, end_of_second)]
    return stretches


def _rows(days: Sequence[Day]) -> list[Key]:
    """Merge the rows of all days. A repeated row follows the row before it on its day."""
    rows = sorted({key for day in days for key in day.cells if not key[1]})
    for day in days:
        before = -1
        for key in day.cells:
            if key not in rows:
                rows.insert(before + 1, key)
            before = rows.index(key)
    return rows


@lru_cache(maxsize=128)
def hours_shown(
    zone: ZoneInfo, first: date, days: int, daily: tuple[int, int], home: ZoneInfo
) -> tuple[int, int]:
    """Translate daily hours from one zone's clocks to another's.

    They are rounded to whole hours.

    daily: minutes of the day on the clocks of `home`. Returns minutes on the clocks of `zone`; the
    whole day if they would cross midnight there.
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


# A person's windows -------------------------------------------------------------------------------


def states(windows: Sequence[Window], cells: Iterable[Stretch]) -> list[State]:
    """Return the state of each cell. The windows are in order and do not overlap."""
    starts = [start for start, _, _ in windows]
    return [
        _state(windows[max(0, bisect_right(starts, start) - 1) :], start, end)
        for start, end in cells
    ]


def _state(windows: Sequence[Window], start: int, end: int) -> State:
    """Return the state of one cell. Windows before it may be left out."""
    covered, levels = 0.0, set()
    for first, last, preference in windows:
        if first >= end:
            break
        if (length := min(last, end) - max(first, start)) > 0:
            covered += length
            levels.add(BANDS[preference + 1])
    is_covered = covered >= end - start
    return State(
        level=min(levels) if is_covered else 0,
        mixed=bool(levels) and (not is_covered or len(levels) > 1),
    )


def touching(windows: Iterable[Window], start: float, end: float) -> list[Window]:
    return [window for window in windows if window[0] <= end and window[1] >= start]


def painted(
    windows: Iterable[Window], spans: Iterable[tuple[float, float]], preference: int | None
) -> list[Window]:
    """Return the windows after painting these spans.

    None as the preference clears them. Nothing changes outside the spans.
    """
    spans = _joined(spans)
    rest = [part for window in windows for part in _parts_outside(window, spans)]
    new = [] if preference is None else [(first, last, preference) for first, last in spans]
    return merged([*rest, *new])


def _parts_outside(window: Window, spans: Sequence[tuple[float, float]]) -> Iterator[Window]:
    """Yield what is left of a window. The spans are in order and apart."""
    start, end, preference = window
    for number in range(bisect_right(spans, start, key=itemgetter(1)), len(spans)):
        first, last = spans[number]
        if first >= end:
            break
        if start < first:
            yield start, first, preference
        start = last
    if start < end:
        yield start, end, preference


def merged(windows: Iterable[Window]) -> list[Window]:
    """Return windows in order, joined where they touch.

    Only those with the same preference are joined. The windows do not overlap. None becomes longer
    than one may be.
    """
    joined: list[Window] = []
    for start, end, preference in sorted(windows):
        if joined and joined[-1][1:] == (start, preference) and end - joined[-1][0] <= LONGEST:
            joined[-1] = (joined[-1][0], end, preference)
        else:
            joined.append((start, end, preference))
    return joined


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def changes(before: Iterable[Window], after: Iterable[Window]) -> list[Run]:
    """Return the stretches on which the two differ, in order, with the preference afterwards."""
    old, new = sorted(before), sorted(after)
    edges = sorted({edge for start, end, _ in (*old, *new) for edge in (start, end)})
    was, now = _preferences(old, edges), _preferences(new, edges)
    return [
        (start, end, now[number])
        for number, (start, end) in enumerate(pairwise(edges))
        if was[number] != now[number]
    ]


def _preferences(windows: Sequence[Window], moments: Iterable[float]) -> list[int | None]:
    """Return the preference from each moment on."""
    starts = [start for start, _, _ in windows]
    indices = (bisect_right(starts, moment) - 1 for moment in moments)
    return [
        windows[index][2] if index >= 0 and windows[index][1] > moment else None
        for index, moment in zip(indices, moments, strict=True)
    ]


def moved(windows: Iterable[Window], zone: ZoneInfo, source: date, target: date) -> list[Window]:
    """Return one day's windows at the same clock times of another day.

    They are cut to the day; times that its clocks skip are left out.
    """
    day_start, day_end = midnight(zone, source), midnight(zone, source + timedelta(days=1))
    first, last = midnight(zone, target), midnight(zone, target + timedelta(days=1))
    copies: list[Window] = []
    for start, end, preference in sorted(windows):
        if end <= day_start or start >= day_end:
            continue
        new_start = first if start <= day_start else _same_clock(start, zone, target)
        new_end = last if end >= day_end else _same_clock(end, zone, target)
        if copies:
            new_start = max(new_start, copies[-1][1])
        if new_start < new_end:
            copies.append((new_start, min(new_end, last), preference))
    return copies


def _same_clock(moment: float, zone: ZoneInfo, target: date) -> float:
    local = datetime.fromtimestamp(moment, zone)
    return datetime.combine(target, local.timetz()).timestamp()
