"""Hold the times that people offered as columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]
type Bytes = NDArray[np.int8]
type Busy = Sequence[tuple[int, int, int]]
"""When people are elsewhere: who, start and end, half-open, in ticks."""

CANNOT, IF_NEED_BE, WORKS, IDEAL = range(4)
BEST_PREFERENCE = 10
# By preference + 1.
_LEVELS = np.array([CANNOT] + 4 * [IF_NEED_BE] + 4 * [WORKS] + 3 * [IDEAL], np.int8)
# Ticks. Keeps every product of people and ticks inside 64 bits, and is two million years away.
FARTHEST = 2**40


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Everybody's free time in columns, sorted by (who, start).

    who (n,) int32 in [0, people); start, end (n,) int64 ticks, half-open, start < end; preference
    (n,) int8 in 0..10, larger is better. One person's windows may overlap or touch: at each tick
    the largest preference counts, and windows that touch are one free time.
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
        """Return the band of each window, (n,) int8 in 1..3."""
        return levels(self.preference)

    @property
    def answered(self) -> Bools:
        """Return whether each person offered any time, (people,) bool.

        No answer is not *cannot*: leave the others out of the counts.
        """
        mask = np.zeros(self.people, np.bool_)
        mask[self.who] = True
        return mask


def levels(preference: ArrayLike) -> Bytes:
    """Return the band of each preference.

    -1: cannot (0); 0-3: if need be (1); 4-7: works (2); 8-10: ideal (3). ValueError for any other.
    """
    place = np.asarray(preference, np.intp) + 1
    if place.size and not 0 <= place.min() <= place.max() < len(_LEVELS):
        raise ValueError(f"A preference is in 0..{BEST_PREFERENCE}, or -1 for cannot.")
    return _LEVELS[place]


def windows(rows: Iterable[tuple[int, int, int, int]], people: int) -> Windows:
    """Make Windows of rows (who, start, end, preference), in any order.

    ValueError names the first bad row.
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
    """Make Windows of four integer columns of equal length (n,).

    Columns of the right type and order are shared, not copied: do not write to them afterwards.
    O(n), or O(n log n) if they must be sorted. ValueError names the first bad row: who outside
    [0, people), end <= start, preference outside 0..10, ticks beyond 2**40.
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
    """Return the windows without the times at which people are elsewhere.

    O((n + b) log (n + b)) for b such times.
    """
    if not len(busy) or not len(free):
        return free
    who, start, end = np.array(busy, np.int64).T
    low = min(int(free.start.min()), int(start.min()))
    span = max(int(free.end.max()), int(end.max())) - low + 1
    # Lay people end to end on one axis, `span` ticks each.
    gap_starts, gap_ends = _gaps(start - low + who * span, end - low + who * span)
    left, right = (column - low + free.who * np.int64(span) for column in (free.start, free.end))
    first, stop = gap_ends.searchsorted(left, side="right"), gap_starts.searchsorted(right)
    count = np.maximum(stop - first, 0)
    row = np.repeat(np.arange(len(free)), count)
    gap = consecutive(first, count)
    left, right = np.maximum(left[row], gap_starts[gap]), np.minimum(right[row], gap_ends[gap])
    kept = np.flatnonzero(left < right)
    row = row[kept]
    origin = free.who[row] * np.int64(span) - low
    return from_arrays(
        free.who[row],
        left[kept] - origin,
        right[kept] - origin,
        free.preference[row],
        people=free.people,
    )


def _gaps(begins: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Return the starts and the ends of the gaps between intervals.

    One lies before the first, one after the last. A gap is empty where intervals overlap: its end
    lies before its start.
    """
    order = np.argsort(begins, kind="stable")
    reached = np.maximum.accumulate(ends[order])
    return np.append(0, reached), np.append(begins[order], FARTHEST * 2**22)


def consecutive(first: Ints, counts: Ints) -> Ints:
    """Return `counts` whole numbers in a row from each `first` on."""
    return np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values without repeats, ascending.

    np.unique hashes, which takes six times as long for 100,000 times, and loads np.ma: 6 MB.
    """
    ordered = np.sort(values)
    is_new = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    return np.asarray(ordered[is_new])


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


def _is_within(column: NDArray[Any], low: int, high: int) -> bool:
    return bool(column.min() >= low and column.max() <= high)


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
    if (
        _is_within(who, 0, people - 1)
        and _is_within(preference, 0, BEST_PREFERENCE)
        and start.min() >= -FARTHEST
        and end.max() <= FARTHEST
        and bool((start < end).all())
    ):
        return
    disliked = (preference < 0) | (preference > BEST_PREFERENCE)
    reasons = {
        f"who is not one of {people} people": (who < 0) | (who >= people),
        "the end is not after the start": end <= start,
        f"the preference is not in 0..{BEST_PREFERENCE}": disliked,
        "the time is too far away": (start < -FARTHEST) | (end > FARTHEST),
    }
    row = min(int(bad.argmax()) for bad in reasons.values() if bad.any())
    why = next(reason for reason, bad in reasons.items() if bad[row])
    raise ValueError(
        f"Row {row}, (who={who[row]}, start={start[row]}, end={end[row]}, "
        f"preference={preference[row]}): {why}."
    )
