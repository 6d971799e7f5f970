"""Sum the weights of the intervals around each tick.

Two exact ways, which the tests hold against each other: *dense* marks the bounds on one cell per
tick (difference array), *packed* sorts them with their kind in the low bits (sweep line; Shamos and
Hoey, Geometric intersection problems, FOCS 1976).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .erosion import BLOCK, KINDS, Lifts
from .windows import Bools, Ints


def sweep(lifts: Lifts, ticks: int, weight: Ints, row: Bools) -> tuple[Ints, Ints]:
    """Return the bounds of the lifts, and the sums between them.

    bounds (S,) in [0, ticks), the first is 0; sums (lanes, 2, S): from each bound to the next.
    weight (lanes, kinds): what a lift adds, by its kind. row (people,): whether it adds to row 0 or
    1, by its person.
    """
    way = _dense if is_dense(ticks, len(lifts.who)) else _packed
    return way(lifts, ticks, weight, row)


def is_dense(ticks: int, intervals: int) -> bool:
    """Return whether one cell per tick is worth it (bench/engine.py).

    Far horizons must not eat memory.
    """
    return ticks <= max(131_072, 32 * intervals)


def _dense(lifts: Lifts, ticks: int, weight: Ints, row: Bools) -> tuple[Ints, Ints]:
    hit = np.zeros(ticks + 1, np.bool_)
    hit[0] = hit[ticks] = True
    for part in _parts(lifts):
        hit[_index(lifts.first[part])] = True
        hit[_index(lifts.stop[part])] = True
    at = np.flatnonzero(hit)
    place = np.empty(ticks + 1, np.intp)
    place[at] = np.arange(len(at))
    change = np.zeros((len(weight), 2 * len(at)), np.int64)
    rows = row * np.intp(len(at))
    for part in _parts(lifts):
        origin, kind = rows[_index(lifts.who[part])], _index(lifts.kind[part])
        begins = place[_index(lifts.first[part])] + origin
        ends = place[_index(lifts.stop[part])] + origin
        for lane, weights in zip(change, weight, strict=True):
            amount = weights[kind]
            np.add.at(lane, begins, amount)
            np.subtract.at(lane, ends, amount)
    return at[:-1], np.cumsum(change.reshape(len(weight), 2, -1)[:, :, :-1], axis=-1)


def _parts(lifts: Lifts) -> Iterator[slice]:
    return (slice(done, done + BLOCK) for done in range(0, len(lifts.who), BLOCK))


def _index(column: NDArray[Any]) -> NDArray[np.intp]:
    return column.astype(np.intp)  # indexing with any other type is several times slower


def _packed(lifts: Lifts, ticks: int, weight: Ints, row: Bools) -> tuple[Ints, Ints]:
    count, bits = len(lifts.who), (4 * KINDS).bit_length()
    key = np.empty(2 * count + 1, np.int64)
    for part in _parts(lifts):
        code = lifts.kind[part] * np.int64(4) + row[_index(lifts.who[part])] * 2
        key[:count][part] = (lifts.first[part].astype(np.int64) << bits) + code
        key[count:-1][part] = (lifts.stop[part].astype(np.int64) << bits) + (code + 1)
    key[-1] = 0  # the first segment opens at 0, whoever is there: no lift has kind 0
    key.sort()
    tick = key >> bits
    last = np.flatnonzero(np.diff(tick, append=ticks))
    key &= (1 << bits) - 1
    sums = np.empty((len(weight), 2, len(last)), np.int64)
    for lane, weights in zip(sums, weight, strict=True):
        for half in (0, 1):
            table = np.zeros((KINDS, 2, 2), np.int64)
            table[:, half, 0], table[:, half, 1] = weights, -weights
            table[0] = 0
            lane[half] = np.cumsum(table.reshape(-1)[key])[last]
    return tick[last], sums
