"""Where each meeting may start, and what it would be worth there: the columns of the joint problem.

Every tick would be far too many, and few of them matter: `starts_that_matter` loses nothing. A coarser `align` is a wish. If there are
still more than memory has room for, each meeting keeps some of them; what it is worth at the best of all is still known, and so is a bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .explain import preferences
from .marks import Align, Marks, TooManyStartsError, marks_of
from .meetings import Busy, Meeting, at_times
from .rank import scores
from .windows import BEST_PREFERENCE, CANNOT, IF_NEED_BE, WORKS, Bytes, Ints, Windows, levels

MOST_STARTS = 2**20  # of one duration; beyond it only starts that somebody's windows suggest would fit into memory
MOST_CELLS = 2**27  # these starts times the people, a byte each
MOST_COLUMNS = 2**20  # of all meetings together, about 100 bytes each


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The starts of one meeting at which all required people are free.

    start (C,) ticks, ascending. optional (C, optional) int8: the preference of each, the smallest over the meeting; -1 = cannot.
    gain (C, 5) int64: what the required people are worth there, in the order of Value.key, with the priority.
    best (5,): the lexicographically largest gain with all optional people who are free: what this meeting is worth if it stood alone.
    is_complete: these are all; else only some, while `best` is that of all.
    """

    start: Ints
    optional: Bytes
    gain: Ints
    best: Ints
    is_complete: bool = True

    def __len__(self) -> int:
        return len(self.start)

    def some(self, most: int, held: int = -1) -> Ints:
        """Return so many columns, ascending: half of them those worth most, the others evenly among the rest, and `held`, if any."""
        return _thinned(_order(self.gain + worth(self.optional).sum(axis=1)), most, held)

    def only(self, kept: Ints) -> "Columns":
        return Columns(self.start[kept], self.optional[kept], self.gain[kept], self.best, is_complete=False)


def _order(total: Ints) -> Ints:
    """Return one number per row that orders the rows lexicographically."""
    return scores(list(total.T))


def _thinned(order: Ints, most: int, held: int = -1) -> Ints:
    if len(order) <= most:
        return np.arange(len(order))
    keep = np.zeros(len(order), np.bool_)
    half = max(1, most // 2)
    least = np.partition(order, len(order) - half)[len(order) - half]
    keep[order > least] = True
    keep[np.flatnonzero(order == least)[: half - int(keep.sum())]] = True  # of equal ones the earliest
    rest = np.flatnonzero(~keep)
    keep[rest[np.linspace(0, len(rest) - 1, most - half).astype(np.intp)]] = True
    if held >= 0:
        keep[held] = True
    return np.flatnonzero(keep)


# What one attendance adds to Value.key, by preference + 1: (12, 5).
_LEVELS = levels(np.arange(CANNOT - 1, BEST_PREFERENCE + 1))
_REQUIRED = np.stack(
    [0 * _LEVELS, 0 * _LEVELS, -1 * (_LEVELS == IF_NEED_BE), -1 * (_LEVELS == WORKS), np.maximum(np.arange(-1, BEST_PREFERENCE + 1), 0)],
    axis=1,
).astype(np.int64)
_OPTIONAL = _REQUIRED + np.array([0, 1, 0, 0, 0]) * (_LEVELS > CANNOT)[:, None]


def worth(preference: Bytes) -> Ints:
    """Return what optional attendances with these preferences add to Value.key, (..., 5)."""
    return np.asarray(_OPTIONAL[preference.astype(np.intp) + 1])


def columns(free: Windows, meetings: Sequence[Meeting], align: Align | None, apart: list[list[int]], busy: Busy = ()) -> list[Columns]:
    """Return the columns of each meeting. align: only starts on these marks, or that are 0 modulo so many ticks; None: any. apart: as of
    `meetings.apart`.

    TooManyStartsError: the bounds are too far apart. If all meetings together have more than MOST_COLUMNS, each keeps its share.
    """
    grid = starts_that_matter(free, meetings, apart, busy) if align is None else marks_of(align)
    people = np.unique([who for meeting in meetings for who in (*meeting.required, *meeting.optional)]).astype(np.int64)
    most = MOST_COLUMNS // max(1, len(meetings))
    elsewhere = {who: at_times(busy, [who]) for who in {who for who, _, _ in busy}}
    found: dict[int, Columns] = {}
    for duration in sorted({meeting.duration for meeting in meetings}):  # one table at a time, for they are large
        starts, table = _table(free, people, meetings, duration, grid)
        for number, meeting in enumerate(meetings):
            if meeting.duration == duration:
                found[number] = _columns(free, people, meeting, starts, table, elsewhere, most)
    return [found[number] for number in range(len(meetings))]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The ticks that are one of `offsets` modulo `step`, or with step 0 the offsets alone. (K,), ascending."""

    step: int
    offsets: Ints

    def within(self, first: int, last: int, most: int) -> Ints:
        """Return those in [first, last], ascending. TooManyStartsError: more than `most`."""
        if not self.step:
            return self.offsets[(self.offsets >= first) & (self.offsets <= last)]
        rounds = range(first // self.step * self.step, last + 1, self.step)
        if (count := len(rounds) * len(self.offsets)) > most:
            raise TooManyStartsError(f"These meetings could start at {count} moments: name bounds that are nearer, or align them.")
        ticks = (np.array(rounds, np.int64)[:, None] + self.offsets).reshape(-1)
        return ticks[(ticks >= first) & (ticks <= last)]


def starts_that_matter(free: Windows, meetings: Sequence[Meeting], apart: list[list[int]], busy: Busy = ()) -> Grid:
    """Return a grid on which some optimum lies: the normal patterns (Herz, IBM Journal 16, 1972) of time, modulo the gaps' divisor.

    Of all optimal plans take one whose starts have the smallest sum: no meeting can begin a tick earlier, so each begins where a window of
    somebody attending does, at its own `earliest`, when they come from elsewhere, or as long after another one, perhaps a pinned one, as
    their gap wants. Followed back from meeting to meeting this ends at a window, a pin, the end of being busy or an `earliest` at which all
    whom that meeting requires are free; modulo the greatest common divisor of all gaps, every start is therefore one of these.
    """
    gaps = np.array(apart, np.int64).reshape(len(meetings), len(meetings))
    step = int(np.gcd.reduce(gaps[~np.eye(len(meetings), dtype=bool)], initial=0))
    involved = np.zeros(free.people, np.bool_)
    for meeting in meetings:
        involved[[*meeting.required, *meeting.optional]] = True
    pins = np.array([m.pinned for m in meetings if m.pinned is not None], np.int64)
    bases = [free.start[involved[free.who]], pins, at_times(busy, np.flatnonzero(involved).tolist())[:, 1]]
    for duration in {meeting.duration for meeting in meetings}:
        mine = [meeting for meeting in meetings if meeting.duration == duration]
        earliest = np.unique([meeting.earliest for meeting in mine])
        can = preferences(free, earliest, duration) >= 0
        place = earliest.searchsorted([meeting.earliest for meeting in mine])
        bases.append(np.array([m.earliest for m, row in zip(mine, place, strict=True) if can[row, list(m.required)].all()], np.int64))
    offsets = np.concatenate(bases)
    return Grid(step, np.unique(offsets % step if step else offsets))


def _table(free: Windows, people: Ints, meetings: Sequence[Meeting], duration: int, grid: Grid | Marks) -> tuple[Ints, Bytes]:
    """Return the starts on the grid for meetings of this duration, and the preferences of these people there: (T,), (people, T)."""
    mine = [meeting for meeting in meetings if meeting.duration == duration and meeting.pinned is None]
    if not mine or not len(free):
        return np.zeros(0, np.int64), np.zeros((len(people), 0), np.int8)
    first = max(min(m.earliest for m in mine), int(free.start.min()))
    last = min(max(m.latest_end for m in mine), int(free.end.max())) - duration
    starts = grid.within(first, last, min(MOST_STARTS, MOST_CELLS // len(people)))
    return starts, np.ascontiguousarray(preferences(free, starts, duration, among=people).T)


def _columns(
    free: Windows, people: Ints, meeting: Meeting, starts: Ints, table: NDArray[np.int8], busy: Mapping[int, Ints], most: int
) -> Columns:
    if meeting.pinned is not None:
        starts = np.array([meeting.pinned], np.int64)
        table = preferences(free, starts, meeting.duration, among=people).T
    low, high = np.searchsorted(starts, (meeting.earliest, meeting.latest_end - meeting.duration + 1))
    starts, seats = starts[low:high], len(meeting.required)
    rows = table[people.searchsorted((*meeting.required, *meeting.optional)), low:high]
    for seat, person in enumerate((*meeting.required, *meeting.optional)):
        if person in busy:
            rows[seat, _elsewhere(meeting, starts, busy[person])] = -1
    fits = np.flatnonzero(rows[:seats].min(axis=0) >= 0)
    rows = rows[:, fits]
    if not len(fits):
        return Columns(starts[fits], rows[seats:].T, np.zeros((0, 5), np.int64), np.zeros(5, np.int64))
    # What follows is the same from one change to the next, and on fine grids changes are few.
    heads = np.append(0, np.flatnonzero((rows[:, 1:] != rows[:, :-1]).any(axis=0)) + 1)
    gain = _REQUIRED[rows[:seats, heads].astype(np.intp) + 1].sum(axis=0)
    gain[:, 0] = meeting.priority
    total = gain + worth(rows[seats:, heads]).sum(axis=0)
    order, lengths = _order(total), np.diff(heads, append=len(fits))
    kept = _thinned(np.repeat(order, lengths), most)
    head = np.repeat(np.arange(len(heads)), lengths)[kept]
    optional = np.ascontiguousarray(rows[seats:, kept].T)
    return Columns(starts[fits[kept]], optional, gain[head], total[order.argmax()], len(kept) == len(fits))


def _elsewhere(meeting: Meeting, starts: Ints, busy: Ints) -> NDArray[np.bool_]:
    """Return at which of these ascending starts the meeting or the buffer after it would run into these times, (S,)."""
    begin, end = busy.T
    low = starts.searchsorted(begin - meeting.duration - meeting.buffer, side="right")
    high = np.maximum(low, starts.searchsorted(end))
    change = np.bincount(low, minlength=len(starts) + 1) - np.bincount(high, minlength=len(starts) + 1)
    return np.asarray(change.cumsum()[:-1] > 0)
