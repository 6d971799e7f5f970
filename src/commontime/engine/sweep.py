"""Sums over intervals: the piecewise constant function t -> total weight of the intervals [first, stop) around t.

Two exact ways, each the other's oracle: *dense* counts on one cell per tick, *packed* sorts ticks that carry their kind in their low bits.
"""

import numpy as np
from numpy.typing import NDArray

from .windows import Ints


def sweep(first: Ints, stop: Ints, kind: NDArray[np.intp], weight: Ints, row: Ints, *, earliest: int, end: int) -> tuple[Ints, Ints]:
    """Return the breakpoints (S,) in [earliest, end), the first one `earliest`, and the sums (lanes, rows, S) from each to the next.

    first, stop, kind (m,): intervals inside [earliest, end]. weight (lanes, kinds): what an interval of a kind adds, positive in lane 0,
    so that no breakpoint cancels out, and with sums below 2**53. row (kinds,): the row it adds to.
    """
    if end - earliest <= max(_DENSE_TICKS, _DENSE_RATIO * len(first)):
        return _dense(first, stop, kind, weight, row, earliest, end)
    return _packed(first, stop, kind, weight, row, earliest, end)


_DENSE_TICKS = 131_072
_DENSE_RATIO = 4


def _dense(first: Ints, stop: Ints, kind: NDArray[np.intp], weight: Ints, row: Ints, earliest: int, end: int) -> tuple[Ints, Ints]:
    ticks, rows = end - earliest + 1, int(row.max()) + 1
    origin = (row * ticks - earliest)[kind]
    begins, ends = first + origin, stop + origin
    diff = np.empty((len(weight), rows, ticks))
    hit = np.zeros(ticks, np.bool_)
    hit[0] = True
    for lane, weights in enumerate(weight.astype(np.float64)):
        amount = weights[kind]  # whole numbers below 2**53, on which floats are exact
        rise = np.bincount(begins, amount, rows * ticks).reshape(rows, ticks)
        fall = np.bincount(ends, amount, rows * ticks).reshape(rows, ticks)
        if lane == 0:
            for r in range(rows):
                hit |= rise[r] != 0
                hit |= fall[r] != 0
        np.subtract(rise, fall, out=diff[lane])
    at = np.flatnonzero(hit[:-1])
    return at + earliest, np.cumsum(diff[:, :, at].astype(np.int64), axis=-1)


def _packed(first: Ints, stop: Ints, kind: NDArray[np.intp], weight: Ints, row: Ints, earliest: int, end: int) -> tuple[Ints, Ints]:
    lanes, kinds = weight.shape
    rows, bits = int(row.max()) + 1, kinds.bit_length() + 1
    begins = ((first - earliest) << bits) | (kind << 1)
    ends = ((stop - earliest) << bits) | (kind << 1) | 1
    # The last key opens the timeline, with a kind that weighs nothing.
    key = np.concatenate((begins, ends, [kinds << 1]))
    key.sort()
    tick = key >> bits
    last = np.flatnonzero(np.diff(tick, append=end - earliest + 1))
    table = np.zeros((lanes, rows, kinds + 1, 2), np.int64)
    for k in range(kinds):
        table[:, row[k], k] = weight[:, k, None] * (1, -1)
    change = table.reshape(lanes, rows, -1)[:, :, key & ((1 << bits) - 1)]
    at = tick[last]
    sums = np.cumsum(change, axis=-1)[:, :, last]
    inside = at < end - earliest
    return at[inside] + earliest, sums[:, :, inside]
