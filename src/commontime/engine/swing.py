"""Find the people to ask first, who alone are missing at some start."""

import numpy as np

from .erosion import KINDS, lifts
from .marks import Align, marks_of
from .profile import checked
from .room import inside, taken_by
from .sweep import sweep
from .windows import Bools, Busy, Ints, Windows, distinct


def swing(
    free: Windows,
    duration: int,
    *,
    required: Bools | None = None,
    earliest: int,
    latest_end: int,
    align: Align | None = None,
    busy: Busy = (),
) -> Ints:
    """Count the starts at which each required person alone is missing.

    (people,) int64; 0 for optional people. Starts at which a required person is elsewhere (busy)
    don't count, because asking can't help there. align: as for `best`. O(n log n). ValueError as
    profile.
    """
    must = checked(free, duration, required, earliest, latest_end)
    ticks = latest_end - duration + 1 - earliest
    if ticks <= 0:
        return np.zeros(free.people, np.int64)
    can = lifts(free, duration, earliest=earliest, latest_end=latest_end, among=must, depth=1)
    at, sums = sweep(can, ticks, np.ones((1, KINDS), np.int64), must)
    taken = taken_by(busy, np.flatnonzero(must).tolist(), duration) - earliest
    bounds = distinct(np.append(at, np.clip(taken + np.array([1, 0]), 0, ticks - 1)))
    lacks_one = (sums[0, 1] == must.sum() - 1)[at.searchsorted(bounds, side="right") - 1]
    lacks_one &= ~inside(taken, bounds)
    aligned = marks_of(align).before(np.append(bounds, ticks) + earliest)
    before = np.concatenate(([0], np.cumsum(lacks_one * np.diff(aligned))))
    there = before[bounds.searchsorted(can.stop)] - before[bounds.searchsorted(can.first)]
    without = np.where(must, before[-1], 0)
    np.subtract.at(without, can.who, there)
    return without
