"""Where each meeting may start, and what it would be worth there: the columns of the joint problem.

Every tick would be far too many, and few of them matter: `starts_that_matter` loses nothing. A coarser `align` is a wish.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .explain import preferences
from .meetings import Busy, Meeting, at_times
from .windows import BEST_PREFERENCE, CANNOT, IF_NEED_BE, WORKS, Bytes, Ints, Windows, levels

MOST_STARTS = 2**20  # of one duration; beyond it only starts that somebody's windows suggest would fit into memory
MOST_CELLS = 2**27  # these starts times the people, a byte each


class TooManyStartsError(ValueError):
    """Meetings could start at more moments than memory has room for."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The starts of one meeting at which all required people are free.

    start (C,) ticks, ascending. optional (C, optional) int8: the preference of each, the smallest over the meeting; -1 = cannot.
    gain (C, 5) int64: what the required people are worth there, in the order of Value.key, with the priority.
    """

    start: Ints
    optional: Bytes
    gain: Ints

    def __len__(self) -> int:
        return len(self.start)

    @property
    def best(self) -> Ints:
        """The lexicographically largest gain with all optional people who are free, (5,): what this meeting is worth if it stood alone."""
        if not len(self):
            return np.zeros(5, np.int64)
        total = self.gain + worth(self.optional).sum(axis=1)
        return np.asarray(total[np.lexsort(total.T[::-1])[-1]])


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


def columns(free: Windows, meetings: Sequence[Meeting], align: int | None, apart: list[list[int]], busy: Busy = ()) -> list[Columns]:
    """Return the columns of each meeting. align: only starts that are 0 modulo so many ticks; None: any. apart: as of `meetings.apart`.

    TooManyStartsError: the bounds are too far apart.
    """
    grid = Grid(align, np.zeros(1, np.int64)) if align else starts_that_matter(free, meetings, apart, busy)
    people = np.unique([who for meeting in meetings for who in (*meeting.required, *meeting.optional)]).astype(np.int64)
    tables = {duration: _table(free, people, meetings, duration, grid) for duration in {meeting.duration for meeting in meetings}}
    return [_columns(free, people, meeting, *tables[meeting.duration], busy) for meeting in meetings]


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


def _table(free: Windows, people: Ints, meetings: Sequence[Meeting], duration: int, grid: Grid) -> tuple[Ints, Bytes]:
    """Return the starts on the grid for meetings of this duration, and the preferences of these people there: (T,), (people, T)."""
    mine = [meeting for meeting in meetings if meeting.duration == duration and meeting.pinned is None]
    if not mine or not len(free):
        return np.zeros(0, np.int64), np.zeros((len(people), 0), np.int8)
    first = max(min(m.earliest for m in mine), int(free.start.min()))
    last = min(max(m.latest_end for m in mine), int(free.end.max())) - duration
    starts = grid.within(first, last, min(MOST_STARTS, MOST_CELLS // len(people)))
    return starts, np.ascontiguousarray(preferences(free, starts, duration, among=people).T)


def _columns(free: Windows, people: Ints, meeting: Meeting, starts: Ints, table: NDArray[np.int8], busy: Busy) -> Columns:
    if meeting.pinned is not None:
        starts = np.array([meeting.pinned], np.int64)
        table = preferences(free, starts, meeting.duration, among=people).T
    low, high = np.searchsorted(starts, (meeting.earliest, meeting.latest_end - meeting.duration + 1))
    required = table[people.searchsorted(meeting.required), low:high]
    fits = np.flatnonzero((required.min(axis=0) >= 0) & ~_elsewhere(meeting, starts[low:high], at_times(busy, meeting.required)))
    gain = _REQUIRED[required[:, fits].astype(np.intp) + 1].sum(axis=0)
    gain[:, 0] = meeting.priority
    start, optional = starts[low:high][fits], table[people.searchsorted(meeting.optional), low:high][:, fits].T
    for seat, person in enumerate(meeting.optional):
        optional[_elsewhere(meeting, start, at_times(busy, [person])), seat] = -1
    return Columns(start, optional, gain)


def _elsewhere(meeting: Meeting, starts: Ints, busy: Ints) -> NDArray[np.bool_]:
    """Return at which starts the meeting or the buffer after it would run into these times, (S,)."""
    clash = np.zeros(len(starts), np.bool_)
    for begin, end in busy.tolist():
        clash |= (starts < end) & (starts + meeting.duration + meeting.buffer > begin)
    return clash
