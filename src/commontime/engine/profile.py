"""Compute a group's exact availability for a meeting of a given length."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .erosion import HIGH, LOW, lifts
from .sweep import sweep
from .windows import CANNOT, FARTHEST, IDEAL, IF_NEED_BE, Bools, Bytes, Ints, Windows, levels


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A group's availability, as S segments that cover all possible starts.

    The starts are those in [earliest, latest_end - duration]. A segment is a maximal range of
    starts at which every single person has the same preference, the smallest over the meeting.
    first, last (S,) int64: its first and last start tick, inclusive. required, everyone (S, 4)
    int64: how many people at level 0 (cannot), 1 (if need be), 2 (works), 3 (ideal).
    required_preference, preference (S,) int64: the sum of the preferences of those who can.
    """

    duration: int
    first: Ints
    last: Ints
    required: Ints
    everyone: Ints
    required_preference: Ints
    preference: Ints

    def __len__(self) -> int:
        return len(self.first)

    @property
    def missing(self) -> Ints:
        """Count the required people who cannot come, (S,)."""
        return self.required[:, CANNOT]

    @property
    def attending(self) -> Ints:
        """Count the people who can come, (S,)."""
        return self.at_least(IF_NEED_BE)

    def at_least(self, level: int) -> Ints:
        """Count the people at this level or above, (S,). ValueError unless the level is in 1..3."""
        if not IF_NEED_BE <= level <= IDEAL:
            raise ValueError("A level to be at is 1, 2 or 3.")
        count = self.everyone[:, level]
        for better in range(level + 1, IDEAL + 1):
            count = count + self.everyone[:, better]
        return count

    def joined_by(
        self, *, required: int = 0, optional: int = 0, preference: int | None = None
    ) -> "Profile":
        """Add people who have not answered, at every start alike.

        With a preference they all come (the optimistic reading), with None none of them does (the
        pessimistic one). Neither changes the order of the starts. O(S). ValueError unless the
        preference is in 0..10.
        """
        if preference is not None and preference < 0:
            raise ValueError("The preference of people who come is at least 0.")
        level, value = (CANNOT, 0) if preference is None else (int(levels(preference)), preference)
        more = (np.arange(4) == level).astype(np.int64)
        return replace(
            self,
            required=self.required + required * more,
            everyone=self.everyone + (required + optional) * more,
            required_preference=self.required_preference + required * value,
            preference=self.preference + (required + optional) * value,
        )


def profile(
    free: Windows, duration: int, *, required: Bools | None = None, earliest: int, latest_end: int
) -> Profile:
    """Return the exact profile of a meeting within [earliest, latest_end).

    required (people,) bool: who must come; by default everybody. S = 0 if the meeting is longer
    than that time. ValueError: duration < 1, `required` of another shape or type, times beyond
    2**40. O(n + ticks) or O(n log n).
    """
    must = checked(free, duration, required, earliest, latest_end)
    weight, ticks = lanes(free.people.bit_length()), latest_end - duration + 1 - earliest
    if ticks <= 0:
        return of_sums(
            np.zeros(0, np.int64),
            np.zeros((len(weight), 2, 0), np.int64),
            must,
            duration,
            earliest,
            ticks,
        )
    at, sums = sweep(
        lifts(free, duration, earliest=earliest, latest_end=latest_end), ticks, weight, must
    )
    return of_sums(at, sums, must, duration, earliest, ticks)


def profile_of_rows(rows: Bytes, required: Bools, duration: int) -> Profile:
    """Return the profile of single starts from rows of preferences (n, people).

    It numbers the starts from 0, so the earlier row is the earlier start. -1 = cannot.
    """
    bands, count = np.eye(4, dtype=np.int64)[levels(rows)], np.arange(len(rows))
    points = np.maximum(rows, 0).astype(np.int64)
    return Profile(
        duration,
        count,
        count,
        bands[:, required].sum(axis=1),
        bands.sum(axis=1),
        points[:, required].sum(axis=1),
        points.sum(axis=1),
    )


def of_sums(at: Ints, sums: Ints, must: Bools, duration: int, earliest: int, ticks: int) -> Profile:
    """Make a profile from sums of lifts that were weighted by `lanes`.

    at (S,): ticks from `earliest` on, ascending, the first is 0, all below `ticks`. sums (lanes, 2,
    S): from each of them to the next. must (people,): who is required.
    """
    sums[:, 0] += sums[:, 1]  # from here on: everybody, and the required ones
    fields = _fields(sums, len(must).bit_length(), np.array([[len(must)], [must.sum()]]))
    first = at + earliest
    last = np.append(first, earliest + ticks)[1:] - 1
    return Profile(
        duration, first, last, fields[:4, 1].T, fields[:4, 0].T, fields[4, 1], fields[4, 0]
    )


def checked(
    free: Windows, duration: int, required: Bools | None, earliest: int, latest_end: int
) -> Bools:
    """Return `required` (people,), by default everybody.

    ValueError: an argument that makes no sense.
    """
    if duration < 1:
        raise ValueError("A meeting lasts at least one tick.")
    if max(abs(earliest), abs(latest_end)) > FARTHEST:
        raise ValueError("The time asked for is too far away.")
    if required is None:
        return np.ones(free.people, np.bool_)
    if required.shape != (free.people,) or required.dtype != np.bool_:
        raise ValueError(f"required must hold one truth value for each of {free.people} people.")
    return required


@cache
def lanes(width: int) -> Ints:
    """Pack the counts that a lift adds to into one number: (lanes, kinds).

    Each number has fields of `width` bits; it takes two numbers if people are many. The low fields
    are people per level, the highest is the sum of preferences. Changes may be negative, but no sum
    of them ever is.
    """
    low, high = levels(LOW - 1), levels(HIGH - 1)
    one, two, three = ((high == level) - (low == level).astype(np.int64) for level in (1, 2, 3))
    value, base = np.maximum(HIGH - 1, 0) - np.maximum(LOW - 1, 0), 1 << width
    if 4 * width + 4 < 63:
        return np.array([((value * base + three) * base + two) * base + one])
    return np.array([value * base + one, three * base + two])


def _fields(sums: Ints, width: int, people: Ints) -> Ints:
    """Unpack sums (lanes, rows, S) into fields (5, rows, S).

    The fields are people at level 0, 1, 2 and 3, and the sum of preferences. people (rows, 1).
    """
    fields = np.empty((5, *sums.shape[1:]), np.int64)
    one = ((0, 0), (0, width), (0, 2 * width), (0, 3 * width))
    two = ((0, 0), (1, 0), (1, width), (0, width))
    for field, (lane, shift) in enumerate(one if len(sums) == 1 else two, 1):
        np.right_shift(sums[lane], shift, out=fields[field])
    fields[1:4] &= (1 << width) - 1
    np.subtract(people, fields[1], out=fields[0])
    fields[0] -= fields[2]
    fields[0] -= fields[3]
    return fields
