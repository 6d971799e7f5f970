"""List the possible starts of meetings, and their worth: the columns of a joint plan.

Every tick would be far too many, and few of them matter: `starts_that_matter` loses nothing. A
coarser `align` is a wish. If there are still more columns than memory has room for, each meeting
keeps a sample. Its worth at the best of all starts is still known, and so is a bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .erosion import HIGH, LOW, lifts
from .explain import preferences
from .marks import Align, Marks, TooManyStartsError, marks_of
from .meetings import Meeting, at_times
from .rank import scores
from .windows import (
    BEST_PREFERENCE,
    CANNOT,
    IF_NEED_BE,
    WORKS,
    Busy,
    Bytes,
    Ints,
    Windows,
    consecutive,
    distinct,
    levels,
)

MOST_STARTS = 2**20  # of all meetings; more do not fit into memory
MOST_COLUMNS = 2**20  # of all meetings together, about 100 bytes each
FEWEST_LOOKED_AT = 64  # starts of a meeting


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The starts of a meeting at which all required people can come.

    start (C,) ticks, ascending. optional (C, optional) int8: the optional people's preferences, the
    smallest over the meeting; -1 = cannot. gain (C, 5) int64: the worth of the priority and the
    required people, in the order of Value.key. order (C,): a number that orders columns by their
    worth with all optional people who are free. best (5,): the lexicographically largest gain with
    all optional people who are free: the worth of this meeting if there were no other. is_complete:
    these are all columns; else a sample, while `best` is that of all, or more.
    """

    start: Ints
    optional: Bytes
    gain: Ints
    order: Ints
    best: Ints
    is_complete: bool = True

    def __len__(self) -> int:
        return len(self.start)

    def sample(self, limit: int, held: int = -1) -> Ints:
        """Return the indexes of at most `limit` columns, ascending.

        `held` is always one of them. Half of them are worth most; the others lie evenly among the
        rest.
        """
        heads = np.append(0, np.flatnonzero(self.order[1:] != self.order[:-1]) + 1)[: len(self)]
        return _sample(self.order[heads], np.diff(heads, append=len(self)), limit, held)

    def only(self, kept: Ints) -> "Columns":
        """Return the columns at these indexes."""
        return Columns(
            self.start[kept],
            self.optional[kept],
            self.gain[kept],
            self.order[kept],
            self.best,
            is_complete=False,
        )


def _sample(order: Ints, lengths: Ints, limit: int, held: int = -1) -> Ints:
    """Return a sample as `Columns.sample` does, from runs of columns.

    order, lengths (R,): the columns of a run have the same number in the order.
    """
    count = int(lengths.sum())
    if count <= limit:
        return np.arange(count)
    half = max(1, limit // 2)
    first = np.cumsum(lengths) - lengths
    best = np.argsort(-order, kind="stable")  # of equal ones the earliest
    left = np.maximum(half - np.cumsum(lengths[best]) + lengths[best], 0)
    taken = np.zeros_like(lengths)
    taken[best] = np.minimum(lengths[best], left)
    over = lengths - taken
    place = np.linspace(0, count - half - 1, limit - half).astype(np.intp)
    run = np.cumsum(over).searchsorted(place, side="right")
    keep = np.zeros(count, np.bool_)
    keep[consecutive(first, taken)] = True
    keep[place - (np.cumsum(over) - over)[run] + (first + taken)[run]] = True
    if held >= 0:
        keep[held] = True
    return np.flatnonzero(keep)


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
    """Return the worth of optional attendances, as Value.key, (..., 5)."""
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
    """Return the columns of each meeting.

    align: only starts on these marks, or at multiples of so many ticks; None: any. apart: as of
    `meetings.apart`. cells: about how many people times starts to look at. If all meetings together
    have more than MOST_COLUMNS, each keeps its share. If there are more cells, optional people are
    only looked at where the meeting suits its required people best. TooManyStartsError: the bounds
    are too far apart.
    """
    grid = starts_that_matter(free, meetings, apart, busy) if align is None else marks_of(align)
    limit = MOST_COLUMNS // max(1, len(meetings))
    few = _starts_looked_at(meetings, cells)
    movable = [meeting for meeting in meetings if meeting.pinned is None]
    starts = _starts(free, movable, grid) if movable and len(free) else np.zeros(0, np.int64)
    elsewhere = _by_person(busy)
    columns_of: dict[Meeting, Columns] = {}
    for duration in {meeting.duration for meeting in meetings}:
        alike = [meeting for meeting in meetings if meeting.duration == duration]
        changes = _Changes(free, alike, elsewhere)
        for meeting in dict.fromkeys(alike):
            columns_of[meeting] = _columns(meeting, starts, changes, limit, few)
    return [columns_of[meeting] for meeting in meetings]


def _starts_looked_at(meetings: Sequence[Meeting], cells: int) -> int:
    """Return how many starts of a meeting to look at for everybody.

    It is a power of two, so that a moment more or less of time makes no other plan.
    """
    seats = sum(len(meeting.required) + len(meeting.optional) for meeting in meetings)
    power = max(0, (cells // max(1, seats)).bit_length() - 1)
    return int(max(FEWEST_LOOKED_AT, 2**power))


def _by_person(busy: Busy) -> dict[int, list[tuple[int, int]]]:
    times: dict[int, list[tuple[int, int]]] = {}
    for who, start, end in busy:
        times.setdefault(who, []).append((start, end))
    return times


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The ticks that equal one of `offsets` modulo `step`.

    With step 0 these are the offsets alone. offsets (K,), ascending.
    """

    step: int
    offsets: Ints

    def within(self, first: int, last: int, limit: int) -> Ints:
        """Return the ticks in [first, last], ascending. TooManyStartsError: more than `limit`."""
        if not self.step:
            return self.offsets[(self.offsets >= first) & (self.offsets <= last)]
        rounds = range(first // self.step * self.step, last + 1, self.step)
        if (count := len(rounds) * len(self.offsets)) > limit:
            raise TooManyStartsError(
                f"These meetings could start at {count} moments. Narrow their bounds or align them."
            )
        ticks = (np.array(rounds, np.int64)[:, None] + self.offsets).reshape(-1)
        return ticks[(ticks >= first) & (ticks <= last)]


def starts_that_matter(
    free: Windows, meetings: Sequence[Meeting], apart: list[list[int]], busy: Busy = ()
) -> Grid:
    """Return a grid on which some best plan lies.

    These are the normal patterns (Herz, IBM Journal 16, 1972) of time, modulo the greatest common
    divisor of the gaps. Of all best plans take one whose starts have the smallest sum: no meeting
    can begin a tick earlier. So each begins where a window of somebody attending does, at its own
    `earliest`, when they come from elsewhere, or as long after another meeting, perhaps a pinned
    one, as their gap wants. Followed back from meeting to meeting, this ends at a window, a pin,
    the end of being busy, or an `earliest` at which all required people are free. Modulo the
    greatest common divisor of all gaps, every start is therefore one of these.
    """
    gaps = np.array(apart, np.int64).reshape(len(meetings), len(meetings))
    step = int(np.gcd.reduce(gaps[~np.eye(len(meetings), dtype=bool)], initial=0))
    involved = np.zeros(free.people, np.bool_)
    for meeting in meetings:
        involved[[*meeting.required, *meeting.optional]] = True
    pins = np.array([m.pinned for m in meetings if m.pinned is not None], np.int64)
    returns = at_times(busy, np.flatnonzero(involved).tolist())[:, 1]
    earliest = [
        _possible_earliest(free, [m for m in meetings if m.duration == duration])
        for duration in {meeting.duration for meeting in meetings}
    ]
    offsets = np.concatenate([free.start[involved[free.who]], pins, returns, *earliest])
    return Grid(step, distinct(offsets % step if step else offsets))


def _possible_earliest(free: Windows, meetings: Sequence[Meeting]) -> Ints:
    """Return each `earliest` that suits all required people. The meetings are equally long."""
    earliest = distinct(np.array([meeting.earliest for meeting in meetings]))
    can = preferences(free, earliest, meetings[0].duration) >= 0
    place = earliest.searchsorted([meeting.earliest for meeting in meetings])
    possible = [
        meeting.earliest
        for meeting, row in zip(meetings, place, strict=True)
        if can[row, list(meeting.required)].all()
    ]
    return np.array(possible, np.int64)


def _starts(free: Windows, meetings: Sequence[Meeting], grid: Grid | Marks) -> Ints:
    """Return the starts on the grid within the meetings' bounds."""
    first = max(min(m.earliest for m in meetings), int(free.start.min()))
    last = max(min(m.latest_end, int(free.end.max())) - m.duration for m in meetings)
    return grid.within(first, last, MOST_STARTS)


class _Changes:
    """The starts at which people's preferences rise and fall.

    All meetings are equally long. The starts between are never written out: on a minute's grid over
    months there are hundreds of them for each change.
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
        # The index of each person's first rise.
        self.place = np.searchsorted(rises.who[order], np.arange(free.people + 1))
        self.elsewhere = elsewhere

    def most(self, meeting: Meeting, starts: Ints) -> int:
        """Bound the number of starts at which preferences change."""
        people = [*meeting.required, *meeting.optional]
        rises = int(np.diff(self.place)[people].sum())
        returns = sum(len(self.elsewhere.get(person, ())) for person in people)
        return min(len(starts), 1 + 2 * rises + 2 * returns)

    def of(self, meeting: Meeting, starts: Ints) -> tuple[Ints, Bytes]:
        """Return the starts at which preferences may change, and these preferences.

        (H,): indexes of these ascending starts. (people, H): -1 = cannot, or is elsewhere.
        """
        people = [*meeting.required, *meeting.optional]
        count = np.diff(self.place)[people]
        mine, seat = (
            consecutive(self.place[people], count),
            np.repeat(np.arange(len(people)), count),
        )
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
    """Add up each seat's heights from each head on, (count, H).

    A height reaches from its `first` to its `stop`.
    """
    change = np.zeros((count, len(heads) + 1), height.dtype)
    np.add.at(change, (seat, heads.searchsorted(first)), height)
    np.subtract.at(change, (seat, heads.searchsorted(stop)), height)
    return change.cumsum(axis=1, dtype=height.dtype)[:, :-1]


def _columns(meeting: Meeting, starts: Ints, changes: _Changes, limit: int, few: int) -> Columns:
    starts = _starts_within(meeting, starts)
    if meeting.optional and changes.most(meeting, starts) > few:
        alone = _columns(replace(meeting, optional=()), starts, changes, few, few)
        # Optional people might come at other starts, and like them best.
        best = alone.best + len(meeting.optional) * worth(np.array(BEST_PREFERENCE))
        options = _columns(meeting, alone.start, changes, limit, few)
        return replace(options, best=best, is_complete=False)
    heads, rows = changes.of(meeting, starts)
    fits = np.flatnonzero(rows[: len(meeting.required)].min(axis=0) >= 0)
    if not len(fits):
        return _no_columns(len(meeting.optional))
    lengths = np.diff(heads, append=len(starts))[fits]
    return _columns_of_runs(meeting, starts, heads[fits], lengths, rows[:, fits], limit)


def _starts_within(meeting: Meeting, starts: Ints) -> Ints:
    """Return the starts that the meeting's own bounds allow."""
    if meeting.pinned is not None:
        starts = np.array([meeting.pinned], np.int64)
    last = meeting.latest_end - meeting.duration
    return starts[slice(*starts.searchsorted((meeting.earliest, last + 1)).tolist())]


def _no_columns(optional: int) -> Columns:
    none, nothing = np.zeros(0, np.int64), np.zeros(5, np.int64)
    return Columns(
        none, np.zeros((0, optional), np.int8), np.zeros((0, 5), np.int64), none, nothing
    )


def _columns_of_runs(
    meeting: Meeting, starts: Ints, first: Ints, lengths: Ints, rows: Bytes, limit: int
) -> Columns:
    """Return the columns of runs over which nobody's preference changes.

    first, lengths (R,): the runs, as indexes of `starts`. rows (people, R): the preferences.
    """
    seats = len(meeting.required)
    gain = _REQUIRED[rows[:seats].astype(np.intp) + 1].sum(axis=0)
    gain[:, 0] = meeting.priority
    total = gain + worth(rows[seats:]).sum(axis=0)
    order = scores(list(total.T))
    kept = _sample(order, lengths, limit)
    run = np.cumsum(lengths).searchsorted(kept, side="right")
    place = first[run] + kept - (np.cumsum(lengths) - lengths)[run]
    return Columns(
        starts[place],
        np.ascontiguousarray(rows[seats:, run].T),
        gain[run],
        order[run],
        total[order.argmax()],
        is_complete=len(kept) == int(lengths.sum()),
    )
