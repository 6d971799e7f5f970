"""Where each meeting may start, and what it would be worth there: the columns of the joint problem.

Every tick would be far too many, and few of them matter: `starts_that_matter` loses nothing. A
coarser `align` is a wish. If there are still more than memory has room for, each meeting keeps some
of them; what it is worth at the best of all is still known, and so is a bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .erosion import HIGH, LOW, lifts
from .explain import preferences
from .marks import Align, Marks, TooManyStartsError, distinct, marks_of
from .meetings import Meeting, at_times
from .rank import scores
from .windows import BEST_PREFERENCE, CANNOT, IF_NEED_BE, WORKS, Busy, Bytes, Ints, Windows, levels

MOST_STARTS = (
    2**20
)  # of all meetings; beyond it only starts that somebody's windows suggest would fit into memory
MOST_COLUMNS = 2**20  # of all meetings together, about 100 bytes each
FEWEST_LOOKED_AT = 64  # starts of a meeting


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The starts of one meeting at which all required people are free.

    start (C,) ticks, ascending. optional (C, optional) int8: the preference of each, the smallest
    over the meeting; -1 = cannot. gain (C, 5) int64: what the required people are worth there, in
    the order of Value.key, with the priority. order (C,): a number that orders them by what they
    are worth with all optional people who are free. best (5,): the lexicographically largest gain
    with all optional people who are free: what this meeting is worth if it stood alone.
    is_complete: these are all; else only some, while `best` is that of all, or more.
    """

    start: Ints
    optional: Bytes
    gain: Ints
    order: Ints
    best: Ints
    is_complete: bool = True

    def __len__(self) -> int:
        return len(self.start)

    def some(self, most: int, held: int = -1) -> Ints:
        """Return so many columns, ascending: half of them those worth most, the others evenly among
        the rest, and `held`, if any.
        """
        heads = np.append(0, np.flatnonzero(self.order[1:] != self.order[:-1]) + 1)[: len(self)]
        return _thinned(self.order[heads], np.diff(heads, append=len(self)), most, held)

    def only(self, kept: Ints) -> "Columns":
        return Columns(
            self.start[kept],
            self.optional[kept],
            self.gain[kept],
            self.order[kept],
            self.best,
            is_complete=False,
        )


def _thinned(order: Ints, lengths: Ints, most: int, held: int = -1) -> Ints:
    """Return as `Columns.some` does which are kept of runs of columns: as many as `lengths` says
    have the same number in the order.
    """
    count = int(lengths.sum())
    if count <= most:
        return np.arange(count)
    half = max(1, most // 2)
    first = np.cumsum(lengths) - lengths
    best = np.argsort(-order, kind="stable")  # of equal ones the earliest
    left = np.maximum(half - np.cumsum(lengths[best]) + lengths[best], 0)
    taken = np.zeros_like(lengths)
    taken[best] = np.minimum(lengths[best], left)
    over = lengths - taken
    place = np.linspace(0, count - half - 1, most - half).astype(np.intp)
    run = np.cumsum(over).searchsorted(place, side="right")
    keep = np.zeros(count, np.bool_)
    keep[_ranges(first, taken)] = True
    keep[place - (np.cumsum(over) - over)[run] + (first + taken)[run]] = True
    if held >= 0:
        keep[held] = True
    return np.flatnonzero(keep)


def _ranges(first: Ints, lengths: Ints) -> Ints:
    """Return so many whole numbers from each first one on, one after the other."""
    return np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))


# What one attendance adds to Value.key, by preference + 1: (12, 5).
_LEVELS = levels(np.arange(CANNOT - 1, BEST_PREFERENCE + 1))
_REQUIRED = np.stack(
    [
        0 * _LEVELS,
        0 * _LEVELS,
        -1 * (_LEVELS == IF_NEED_BE),
        -1 * (_LEVELS == WORKS),
        np.maximum(np.arange(-1, BEST_PREFERENCE + 1), 0),
    ],
    axis=1,
).astype(np.int64)
_OPTIONAL = _REQUIRED + np.array([0, 1, 0, 0, 0]) * (_LEVELS > CANNOT)[:, None]


def worth(preference: Bytes | Ints) -> Ints:
    """Return what optional attendances with these preferences add to Value.key, (..., 5)."""
    return np.asarray(_OPTIONAL[preference.astype(np.intp) + 1])


def columns(
    free: Windows,
    meetings: Sequence[Meeting],
    align: Align | None,
    apart: list[list[int]],
    busy: Busy = (),
    *,
    cells: int = 2**62,
) -> list[Columns]:
    """Return the columns of each meeting. align: only starts on these marks, or that are 0 modulo
    so many ticks; None: any. apart: as of `meetings.apart`. cells: at about so many people times
    starts is looked.

    TooManyStartsError: the bounds are too far apart. If all meetings together have more than
    MOST_COLUMNS, each keeps its share; if there are more cells, the optional people of a meeting
    are only looked at where it suits those best whom it requires.
    """
    grid = starts_that_matter(free, meetings, apart, busy) if align is None else marks_of(align)
    most = MOST_COLUMNS // max(1, len(meetings))
    seats = sum(len(meeting.required) + len(meeting.optional) for meeting in meetings)
    # A power of two, so that a moment more or less of time makes no other plan.
    few = max(FEWEST_LOOKED_AT, 2 ** max(0, (cells // max(1, seats)).bit_length() - 1))
    movable = [meeting for meeting in meetings if meeting.pinned is None]
    starts = _starts(free, movable, grid) if movable and len(free) else np.zeros(0, np.int64)
    elsewhere: dict[int, list[tuple[int, int]]] = {}
    for who, begin, end in busy:
        elsewhere.setdefault(who, []).append((begin, end))
    found: dict[int, Columns] = {}
    for duration in {meeting.duration for meeting in meetings}:
        some = [number for number, meeting in enumerate(meetings) if meeting.duration == duration]
        changes = _Changes(free, [meetings[number] for number in some], elsewhere)
        alike: dict[Meeting, Columns] = {}
        for number in some:
            if meetings[number] not in alike:
                alike[meetings[number]] = _columns(meetings[number], starts, changes, most, few)
            found[number] = alike[meetings[number]]
    return [found[number] for number in range(len(meetings))]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The ticks that are one of `offsets` modulo `step`, or with step 0 the offsets alone. (K,),
    ascending.
    """

    step: int
    offsets: Ints

    def within(self, first: int, last: int, most: int) -> Ints:
        """Return those in [first, last], ascending. TooManyStartsError: more than `most`."""
        if not self.step:
            return self.offsets[(self.offsets >= first) & (self.offsets <= last)]
        rounds = range(first // self.step * self.step, last + 1, self.step)
        if (count := len(rounds) * len(self.offsets)) > most:
            raise TooManyStartsError(
                f"These meetings could start at {count} moments: name bounds that are nearer, or "
                "align them."
            )
        ticks = (np.array(rounds, np.int64)[:, None] + self.offsets).reshape(-1)
        return ticks[(ticks >= first) & (ticks <= last)]


def starts_that_matter(
    free: Windows, meetings: Sequence[Meeting], apart: list[list[int]], busy: Busy = ()
) -> Grid:
    """Return a grid on which some optimum lies: the normal patterns (Herz, IBM Journal 16, 1972) of
    time, modulo the gaps' divisor.

    Of all optimal plans take one whose starts have the smallest sum: no meeting can begin a tick
    earlier, so each begins where a window of somebody attending does, at its own `earliest`, when
    they come from elsewhere, or as long after another one, perhaps a pinned one, as their gap
    wants. Followed back from meeting to meeting this ends at a window, a pin, the end of being busy
    or an `earliest` at which all whom that meeting requires are free; modulo the greatest common
    divisor of all gaps, every start is therefore one of these.
    """
    gaps = np.array(apart, np.int64).reshape(len(meetings), len(meetings))
    step = int(np.gcd.reduce(gaps[~np.eye(len(meetings), dtype=bool)], initial=0))
    involved = np.zeros(free.people, np.bool_)
    for meeting in meetings:
        involved[[*meeting.required, *meeting.optional]] = True
    pins = np.array([m.pinned for m in meetings if m.pinned is not None], np.int64)
    bases = [
        free.start[involved[free.who]],
        pins,
        at_times(busy, np.flatnonzero(involved).tolist())[:, 1],
    ]
    for duration in {meeting.duration for meeting in meetings}:
        mine = [meeting for meeting in meetings if meeting.duration == duration]
        earliest = np.unique([meeting.earliest for meeting in mine])
        can = preferences(free, earliest, duration) >= 0
        place = earliest.searchsorted([meeting.earliest for meeting in mine])
        bases.append(
            np.array(
                [
                    m.earliest
                    for m, row in zip(mine, place, strict=True)
                    if can[row, list(m.required)].all()
                ],
                np.int64,
            )
        )
    offsets = np.concatenate(bases)
    return Grid(step, np.unique(offsets % step if step else offsets))


def _starts(free: Windows, meetings: Sequence[Meeting], grid: Grid | Marks) -> Ints:
    """Return the starts on the grid at which one of these meetings could be, if only its own bounds
    counted.
    """
    first = max(min(m.earliest for m in meetings), int(free.start.min()))
    last = max(min(m.latest_end, int(free.end.max())) - m.duration for m in meetings)
    return grid.within(first, last, MOST_STARTS)


class _Changes:
    """When the preferences of the people of some meetings, all equally long, rise and fall. What
    lies between is never written out: on a minute's grid over months there are hundreds of starts
    for each change.
    """

    def __init__(
        self,
        free: Windows,
        meetings: Sequence[Meeting],
        elsewhere: Mapping[int, Sequence[tuple[int, int]]],
    ) -> None:
        among = np.zeros(free.people, np.bool_)
        for meeting in meetings:
            among[[*meeting.required, *meeting.optional]] = True
        starts = [m.earliest if m.pinned is None else m.pinned for m in meetings]
        ends = [m.latest_end if m.pinned is None else m.pinned + m.duration for m in meetings]
        rises = lifts(
            free, meetings[0].duration, earliest=min(starts), latest_end=max(ends), among=among
        )
        order = np.argsort(rises.who, kind="stable")
        self.first, self.stop = (
            column[order].astype(np.int64) + min(starts) for column in (rises.first, rises.stop)
        )
        self.height = (HIGH - LOW).astype(np.int8)[rises.kind[order]]
        self.place = np.searchsorted(
            rises.who[order], np.arange(free.people + 1)
        )  # where each person's begin
        self.elsewhere = elsewhere

    def most(self, meeting: Meeting, starts: Ints) -> int:
        """Return at how many of these starts something may change at most."""
        people = [*meeting.required, *meeting.optional]
        return min(
            len(starts),
            1
            + 2 * sum(int(n) for n in np.diff(self.place)[people])
            + 2 * sum(len(self.elsewhere.get(p, ())) for p in people),
        )

    def of(self, meeting: Meeting, starts: Ints) -> tuple[Ints, Bytes]:
        """Return at which of these ascending starts something may change, and each person's
        preference from there on; -1 = cannot, or is elsewhere: (H,), (people, H).
        """
        people = [*meeting.required, *meeting.optional]
        count = np.diff(self.place)[people]
        mine, seat = _ranges(self.place[people], count), np.repeat(np.arange(len(people)), count)
        first, stop = starts.searchsorted(self.first[mine]), starts.searchsorted(self.stop[mine])
        away = [
            (place, *times)
            for place, who in enumerate(people)
            for times in self.elsewhere.get(who, ())
        ]
        who, begin, end = np.array(away, np.int64).reshape(-1, 3).T
        # A meeting and the buffer after it end before somebody is elsewhere.
        begin = starts.searchsorted(begin - meeting.duration - meeting.buffer, side="right")
        end = np.maximum(begin, starts.searchsorted(end))
        heads = distinct(np.concatenate([[0], first, stop, begin, end]))
        heads = heads[heads < len(starts)]
        rows = _sums(len(people), heads, seat, first, stop, self.height[mine]) - np.int8(1)
        if away:
            rows[_sums(len(people), heads, who, begin, end, np.ones(len(away), np.int64)) > 0] = -1
        return heads, rows


def _sums[Number: np.integer](
    count: int, heads: Ints, seat: Ints, first: Ints, stop: Ints, height: NDArray[Number]
) -> NDArray[Number]:
    """Return, for each of so many seats and from each head on, the sum of the heights that reach
    from `first` to `stop`, (count, H).
    """
    change = np.zeros((count, len(heads) + 1), height.dtype)
    np.add.at(change, (seat, heads.searchsorted(first)), height)
    np.subtract.at(change, (seat, heads.searchsorted(stop)), height)
    return change.cumsum(axis=1, dtype=height.dtype)[:, :-1]


def _columns(meeting: Meeting, starts: Ints, changes: _Changes, most: int, few: int) -> Columns:
    if meeting.pinned is not None:
        starts = np.array([meeting.pinned], np.int64)
    low, high = np.searchsorted(
        starts, (meeting.earliest, meeting.latest_end - meeting.duration + 1)
    )
    starts, seats = starts[low:high], len(meeting.required)
    if meeting.optional and changes.most(meeting, starts) > few:
        alone = _columns(replace(meeting, optional=()), starts, changes, few, few)
        # Whoever is optional might come there or elsewhere, and like it best.
        best = alone.best + len(meeting.optional) * worth(np.array(BEST_PREFERENCE))
        return replace(
            _columns(meeting, alone.start, changes, most, few), best=best, is_complete=False
        )
    heads, rows = changes.of(meeting, starts)
    fits = np.flatnonzero(rows[:seats].min(axis=0) >= 0)
    if not len(fits):
        return Columns(
            starts[fits],
            rows[seats:, fits].T,
            np.zeros((0, 5), np.int64),
            starts[fits],
            np.zeros(5, np.int64),
        )
    lengths, first, rows = np.diff(heads, append=len(starts))[fits], heads[fits], rows[:, fits]
    gain = _REQUIRED[rows[:seats].astype(np.intp) + 1].sum(axis=0)
    gain[:, 0] = meeting.priority
    total = gain + worth(rows[seats:]).sum(axis=0)
    order = scores(list(total.T))
    kept = _thinned(order, lengths, most)
    run = np.cumsum(lengths).searchsorted(kept, side="right")
    place = first[run] + kept - (np.cumsum(lengths) - lengths)[run]
    optional = np.ascontiguousarray(rows[seats:, run].T)
    return Columns(
        starts[place],
        optional,
        gain[run],
        order[run],
        total[order.argmax()],
        len(kept) == int(lengths.sum()),
    )
