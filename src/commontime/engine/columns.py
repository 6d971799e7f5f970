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
from .meetings import Meeting
from .windows import CANNOT, IF_NEED_BE, WORKS, Bytes, Ints, Windows, levels

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
        total = self.gain + worth(self.optional, counts=True).sum(axis=1)
        return np.asarray(total[np.lexsort(total.T[::-1])[-1]])


def worth(preference: Bytes, *, counts: bool) -> Ints:
    """Return what attendances with these preferences add to Value.key, (..., 5). counts: whether they are optional ones."""
    level = levels(preference)
    here = level > CANNOT
    zero = np.zeros(preference.shape, np.int64)
    parts = [zero, zero + (here & counts), zero - (level == IF_NEED_BE), zero - (level == WORKS), np.where(here, preference, 0)]
    return np.stack(parts, axis=-1).astype(np.int64)


def columns(free: Windows, meetings: Sequence[Meeting], align: int | None) -> list[Columns]:
    """Return the columns of each meeting. align: only starts that are 0 modulo so many ticks; None: the grid of all times that occur."""
    grid = align or grid_of(free, meetings)
    tables = {duration: _table(free, meetings, duration, grid) for duration in {meeting.duration for meeting in meetings}}
    return [_columns(free, meeting, *tables[meeting.duration]) for meeting in meetings]


def grid_of(free: Windows, meetings: Sequence[Meeting]) -> int:
    """Return the greatest common divisor of all times that occur, in ticks, at least 1."""
    times = [value for m in meetings for value in (m.duration, m.buffer, m.earliest, m.latest_end)]
    ends = [int(np.gcd.reduce(column)) for column in (free.start, free.end) if len(column)]
    return max(1, gcd(*times, *ends))


def _table(free: Windows, meetings: Sequence[Meeting], duration: int, grid: int) -> tuple[Ints, Bytes]:
    """Return the starts on the grid for meetings of this duration, and everybody's preference there: (T,), (T, people)."""
    mine = [meeting for meeting in meetings if meeting.duration == duration and meeting.pinned is None]
    if not mine or not len(free):
        return np.zeros(0, np.int64), np.zeros((0, free.people), np.int8)
    first = max(min(m.earliest for m in mine), int(free.start.min()))
    last = min(max(m.latest_end for m in mine), int(free.end.max())) - duration
    starts = np.arange(-(-first // grid) * grid, last + 1, grid, dtype=np.int64)
    if len(starts) > MOST_STARTS:
        raise ValueError(f"These meetings could start at {len(starts)} moments: name bounds that are nearer, or align them.")
    return starts, preferences(free, starts, duration)


def _columns(free: Windows, meeting: Meeting, starts: Ints, table: NDArray[np.int8]) -> Columns:
    if meeting.pinned is not None:
        starts = np.array([meeting.pinned], np.int64)
        table = preferences(free, starts, meeting.duration)
    required = table[:, list(meeting.required)]
    fits = (starts >= meeting.earliest) & (starts <= meeting.latest_end - meeting.duration) & (required >= 0).all(axis=1)
    optional = table[:, list(meeting.optional)][fits]
    gain = worth(required[fits], counts=False).sum(axis=1)
    gain[:, 0] = meeting.priority
    return Columns(starts[fits], optional, gain)
