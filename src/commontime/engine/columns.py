"""Where each meeting may start, and what it would be worth there: the columns of the joint problem.

The gcd grid is lossless: if all ends of windows, durations, buffers and bounds are multiples of g, some optimum uses only multiples of g
(shift everything left). So a grid of g ticks stands for every tick; a coarser `align` is a wish.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from .explain import preferences
from .meetings import Meeting, Travel
from .windows import BEST_PREFERENCE, CANNOT, IF_NEED_BE, WORKS, Bytes, Ints, Windows, levels

MOST_STARTS = 2**20  # of one duration; beyond it only starts that somebody's windows suggest would fit into memory


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


def columns(free: Windows, meetings: Sequence[Meeting], align: int | None, travel: Travel | None = None) -> list[Columns]:
    """Return the columns of each meeting. align: only starts that are 0 modulo so many ticks; None: the grid of all times that occur."""
    grid = align or grid_of(free, meetings, travel)
    tables = {duration: _table(free, meetings, duration, grid) for duration in {meeting.duration for meeting in meetings}}
    return [_columns(free, meeting, *tables[meeting.duration]) for meeting in meetings]


def grid_of(free: Windows, meetings: Sequence[Meeting], travel: Travel | None = None) -> int:
    """Return the greatest common divisor of all times that occur, in ticks, at least 1."""
    times = [value for m in meetings for value in (m.duration, m.buffer, m.earliest, m.latest_end)]
    ends = [int(np.gcd.reduce(column)) for column in (free.start, free.end) if len(column)]
    return max(1, gcd(*times, *ends, *(ticks for row in travel or () for ticks in row)))


def _table(free: Windows, meetings: Sequence[Meeting], duration: int, grid: int) -> tuple[Ints, Bytes]:
    """Return the starts on the grid for meetings of this duration, and everybody's preference there: (T,), (people, T)."""
    mine = [meeting for meeting in meetings if meeting.duration == duration and meeting.pinned is None]
    if not mine or not len(free):
        return np.zeros(0, np.int64), np.zeros((free.people, 0), np.int8)
    first = max(min(m.earliest for m in mine), int(free.start.min()))
    last = min(max(m.latest_end for m in mine), int(free.end.max())) - duration
    starts = np.arange(-(-first // grid) * grid, last + 1, grid, dtype=np.int64)
    if len(starts) > MOST_STARTS:
        raise ValueError(f"These meetings could start at {len(starts)} moments: name bounds that are nearer, or align them.")
    return starts, np.ascontiguousarray(preferences(free, starts, duration).T)


def _columns(free: Windows, meeting: Meeting, starts: Ints, table: NDArray[np.int8]) -> Columns:
    if meeting.pinned is not None:
        starts = np.array([meeting.pinned], np.int64)
        table = preferences(free, starts, meeting.duration).T
    low, high = np.searchsorted(starts, (meeting.earliest, meeting.latest_end - meeting.duration + 1))
    required = table[list(meeting.required), low:high]
    fits = np.flatnonzero(required.min(axis=0) >= 0)
    gain = _REQUIRED[required[:, fits].astype(np.intp) + 1].sum(axis=0)
    gain[:, 0] = meeting.priority
    return Columns(starts[low:high][fits], table[list(meeting.optional), low:high][:, fits].T, gain)
