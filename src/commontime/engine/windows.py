"""Who offered which time, as columns: the one input of everything else in the engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]
type Bytes = NDArray[np.int8]
type Busy = Sequence[
    tuple[int, int, int]
]  # who, start, end: when people are elsewhere, half-open, in ticks

CANNOT, IF_NEED_BE, WORKS, IDEAL = range(4)
BEST_PREFERENCE = 10
_LEVELS = np.array(
    [CANNOT] + 4 * [IF_NEED_BE] + 4 * [WORKS] + 3 * [IDEAL], np.int8
)  # at preference + 1
FARTHEST = (
    2**40
)  # ticks; keeps every product of people and ticks inside 64 bits, and is two million years away


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Columnar free time, sorted by (who, start).

    who (n,) int32 in [0, people); start, end (n,) int64 ticks, half-open, start < end; preference
    (n,) int8 in 0..10, larger is better. One person's windows may overlap or touch: at each tick
    the largest preference counts, and touching windows are one free time.
    """

    people: int
    who: NDArray[np.int32]
    start: Ints
    end: Ints
    preference: Bytes

    def __len__(self) -> int:
        return len(self.who)

    @property
    def level(self) -> Bytes:
        """The band of each window, (n,) int8 in 1..3."""
        return levels(self.preference)

    @property
    def answered(self) -> Bools:
        """Who offered any time at all, (people,) bool. Nobody-has-answered is not *cannot*: leave
        the others out of the counts.
        """
        mask = np.zeros(self.people, np.bool_)
        mask[self.who] = True
        return mask


def levels(preference: ArrayLike) -> Bytes:
    """Return the band of each preference: -1 cannot (0), 0-3 if need be (1), 4-7 works (2), 8-10
    ideal (3). ValueError for any other.
    """
    place = np.asarray(preference, np.intp) + 1
    if place.size and not 0 <= place.min() <= place.max() < len(_LEVELS):
        raise ValueError(f"A preference is in 0..{BEST_PREFERENCE}, or -1 for cannot.")
    return _LEVELS[place]


def windows(rows: Iterable[tuple[int, int, int, int]], people: int) -> Windows:
    """Make Windows of rows (who, start, end, preference), in any order. ValueError names the first
    bad row.
    """
    table = list(rows)
    for number, row in enumerate(table):
        _check_shape(number, row)
    try:
        columns = np.array(table, np.int64).reshape(-1, 4).T
    except OverflowError:
        raise ValueError("A row holds a number that does not fit 64 bits.") from None
    return from_arrays(*columns, people=people)


def from_arrays(
    who: ArrayLike, start: ArrayLike, end: ArrayLike, preference: ArrayLike, *, people: int
) -> Windows:
    """Make Windows of four integer columns of equal length (n,), without a Python loop and, if
    sorted, without a sort. O(n log n).

    Columns that already have the right type and order are shared, not copied: do not write to them
    afterwards. ValueError names the first bad row: who outside [0, people), end <= start,
    preference outside 0..10, ticks beyond 2**40.
    """
    if not 0 <= people < 2**24:
        raise ValueError("people must be at least 0 and less than 2**24.")
    columns = [_integers(column) for column in (who, start, end, preference)]
    if any(column.ndim != 1 or column.shape != columns[0].shape for column in columns):
        raise ValueError("who, start, end and preference must be one-dimensional and equally long.")
    _check_rows(*columns, people=people)
    types = (np.int32, np.int64, np.int64, np.int8)
    columns = [column.astype(t, copy=False) for column, t in zip(columns, types, strict=True)]
    if len(columns[0]) > 1 and not _is_sorted(columns[0], columns[1]):
        order = np.lexsort((columns[1], columns[0]))
        columns = [column[order] for column in columns]
    return Windows(people, *(np.ascontiguousarray(column) for column in columns))


def without(free: Windows, busy: Busy) -> Windows:
    """Return what is left of the windows outside the times at which people are elsewhere. O((n + b)
    log (n + b)) for b such times.
    """
    if not len(busy) or not len(free):
        return free
    who, start, end = np.array(busy, np.int64).T
    order = np.lexsort((start, who))
    who, start, end = who[order], start[order], end[order]
    low, high = (
        min(int(free.start.min()), int(start.min())),
        max(int(free.end.max()), int(end.max())),
    )
    span = high - low + 1
    # People end to end on one axis, and what is between the times on it: before each the end of
    # those that came earlier.
    ends = np.maximum.accumulate(np.append(0, end - low + who * span))
    begins = np.append(start - low + who * span, free.people * span)
    left, right = (column - low + free.who * np.int64(span) for column in (free.start, free.end))
    first, stop = begins.searchsorted(left, side="right"), ends.searchsorted(right)
    count = np.maximum(stop - first, 0)
    row = np.repeat(np.arange(len(free)), count)
    gap = np.repeat(first - np.cumsum(count) + count, count) + np.arange(len(row))
    left, right = np.maximum(left[row], ends[gap]), np.minimum(right[row], begins[gap])
    some = np.flatnonzero(left < right)
    row = row[some]
    origin = free.who[row] * np.int64(span) - low
    return from_arrays(
        free.who[row],
        left[some] - origin,
        right[some] - origin,
        free.preference[row],
        people=free.people,
    )


def _is_sorted(who: NDArray[np.int32], start: Ints) -> bool:
    return bool(((who[1:] > who[:-1]) | ((who[1:] == who[:-1]) & (start[1:] >= start[:-1]))).all())


def _integers(column: ArrayLike) -> NDArray[Any]:
    array = np.asarray(column)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"The columns of windows hold integers, not {array.dtype}.")
    return array


def _check_shape(number: int, row: Sequence[int]) -> None:
    try:
        who, start, end, preference = row
        index(who), index(start), index(end), index(preference)
    except (TypeError, ValueError):
        raise ValueError(
            f"Row {number}, {row!r}, is not four integers (who, start, end, preference)."
        ) from None


def _check_rows(
    who: NDArray[Any],
    start: NDArray[Any],
    end: NDArray[Any],
    preference: NDArray[Any],
    *,
    people: int,
) -> None:
    if not len(who):
        return
    in_range = (
        who.min() >= 0
        and who.max() < people
        and preference.min() >= 0
        and preference.max() <= BEST_PREFERENCE
    )
    if (
        in_range
        and start.min() >= -FARTHEST
        and end.max() <= FARTHEST
        and bool((start < end).all())
    ):
        return
    reasons = {
        f"who is not one of {people} people": (who < 0) | (who >= people),
        "the end is not after the start": end <= start,
        f"the preference is not in 0..{BEST_PREFERENCE}": (preference < 0)
        | (preference > BEST_PREFERENCE),
        "the time is too far away": (start < -FARTHEST) | (end > FARTHEST),
    }
    row = min(int(bad.argmax()) for bad in reasons.values() if bad.any())
    why = next(reason for reason, bad in reasons.items() if bad[row])
    raise ValueError(
        f"Row {row}, (who={who[row]}, start={start[row]}, end={end[row]}, "
        f"preference={preference[row]}): {why}."
    )
