"""Keep a joint placement that can be changed and valued within microseconds.

A placement is only the starts. Given those, the attendances of optional people are decided exactly
(weighted interval scheduling, one person at a time, and only for those whose meetings moved). Sets
of columns are whole numbers, bit c for column c, so the open columns of a meeting take a few
operations, whatever the horizon.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, reduce
from operator import itemgetter, or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, worth
from .meetings import Meeting, Value
from .windows import BEST_PREFERENCE, CANNOT, Ints

NOWHERE = -1


class Board:
    """A placement of meetings, to be changed and valued quickly.

    place: each meeting's column, or -1. begin: its start, if it has a place. hard: the placed
    meetings that require a person; soft: those that a person may attend. total: the worth of it
    all, a whole number that orders as Value.key does.
    """

    def __init__(
        self,
        meetings: Sequence[Meeting],
        options: Sequence[Columns],
        apart: list[list[int]],
        people: int,
    ) -> None:
        self.meetings, self.options, self.apart = meetings, options, apart
        self.place = [NOWHERE] * len(meetings)
        self.begin = [0] * len(meetings)
        self.hard: list[list[int]] = [[] for _ in range(people)]
        self.soft: list[list[int]] = [[] for _ in range(people)]
        self.starts = [array("q", option.start.tobytes()) for option in options]
        self.can = [[_mask(row) for row in (option.optional >= 0).T] for option in options]
        self.seat = [{person: seat for seat, person in enumerate(m.optional)} for m in meetings]
        self._needs = [sum(1 << person for person in meeting.required) for meeting in meetings]
        self._rivals: dict[int, list[int]] = {}
        self._has_journeys = any(len(set(row)) > 1 for row in apart)
        self._weigh()
        self._total = 0
        # The worth of each person's optional attendances, and their meetings.
        self._attended: list[tuple[int, tuple[int, ...]]] = [(0, ())] * people
        self._changed: set[int] = set()

    def _weigh(self) -> None:
        """Compute the worth of columns and attendances.

        It is exact for sums, and in floats for choices. gain: by meeting and column. extra: by
        preference + 1.
        """
        self.weights = _weights(self.meetings)
        largest = self.weights[0] * sum(meeting.priority for meeting in self.meetings)
        exact = np.array(self.weights, np.int64 if largest < 2**62 else object)
        self.gain = [_weighted(option.gain, exact) for option in self.options]
        self.extra = worth(np.arange(CANNOT - 1, BEST_PREFERENCE + 1)) @ exact
        self.score = [gain.astype(np.float64) for gain in self.gain]
        self.extra_score = self.extra.astype(np.float64)

    def put(self, number: int, column: int) -> None:
        """Place a meeting that has no place. That it is open there is not looked at."""
        meeting = self.meetings[number]
        self.place[number], self.begin[number] = column, self.starts[number][column]
        self._total += int(self.gain[number][column])
        for person in meeting.required:
            self.hard[person].append(number)
        for person in meeting.optional:
            self.soft[person].append(number)
        self._changed.update(meeting.required, meeting.optional)

    def take(self, number: int) -> None:
        """Leave a meeting without a place, if it has one."""
        column = self.place[number]
        if column < 0:
            return
        meeting = self.meetings[number]
        self.place[number] = NOWHERE
        self._total -= int(self.gain[number][column])
        for person in meeting.required:
            self.hard[person].remove(number)
        for person in meeting.optional:
            self.soft[person].remove(number)
        self._changed.update(meeting.required, meeting.optional)

    def set(self, numbers: Sequence[int], columns: Sequence[int]) -> None:
        """Move these meetings to these columns; -1 takes a meeting's place away."""
        changed = [(n, c) for n, c in zip(numbers, columns, strict=True) if self.place[n] != c]
        for number, _ in changed:
            self.take(number)
        for number, column in changed:
            if column >= 0:
                self.put(number, column)

    def open(self, number: int) -> int:
        """Return the set of columns at which nobody required is elsewhere."""
        rivals = [other for other in self.rivals(number) if self.place[other] >= 0]
        return ((1 << len(self.starts[number])) - 1) & ~self.near(number, rivals)

    def rivals(self, number: int) -> list[int]:
        """Return the other meetings that share a required person, ascending."""
        if number not in self._rivals:
            needs = self._needs[number]
            self._rivals[number] = [
                other
                for other, theirs in enumerate(self._needs)
                if needs & theirs and other != number
            ]
        return self._rivals[number]

    def near(self, number: int, others: Iterable[int]) -> int:
        """Return the columns of a meeting too near to any others."""
        near = 0
        for other in others:
            near |= self.near_start(number, other, self.begin[other])
        return near

    def near_start(self, number: int, other: int, begin: int) -> int:
        """Return the columns too near to another meeting that starts then."""
        starts = self.starts[number]
        low = bisect_right(starts, begin - self.apart[number][other])
        high = bisect_left(starts, begin + self.apart[other][number])
        return (1 << high) - (1 << low) if low < high else 0

    def first_place(self, number: int) -> int:
        """Return the open column that is best for required people, or -1."""
        members = _members(self.open(number))
        return int(members[self.score[number][members].argmax()]) if len(members) else NOWHERE

    def best_place(self, number: int, noise: NDArray[np.floating] | None = None) -> int:
        """Return the best open column, or -1.

        Optional people count unless required elsewhere then. noise: an error for the worth of each
        column, to vary the choice on purpose.
        """
        is_open = self.open(number)
        if not is_open:
            return NOWHERE
        comes = self._comes(number, is_open)
        members = _members(is_open if noise is not None else _most_covered(is_open, comes))
        score = self.score[number][members]
        for seat, columns in enumerate(comes):
            if columns:
                preference = self.options[number].optional[members, seat].astype(np.intp)
                extra = self.extra_score[preference + 1]
                score = score + extra * bits(columns, len(self.starts[number]))[members]
        if noise is not None:
            score = score + noise[members]
        return int(members[score.argmax()])  # of equal scores, the first, which is the earliest

    def _comes(self, number: int, is_open: int) -> list[int]:
        """Return the open columns at which each optional person can come.

        They are not required elsewhere then.
        """
        near = cache(lambda other: self.near(number, [other]))  # many have the same meetings
        return [
            is_open & can & ~reduce(or_, map(near, self.hard[person]), 0)
            for can, person in zip(self.can[number], self.meetings[number].optional, strict=True)
        ]

    @property
    def total(self) -> int:
        for person in self._changed:
            self._total -= self._attended[person][0]
            self._attended[person] = self._attend(person)
            self._total += self._attended[person][0]
        self._changed.clear()
        return self._total

    def _attend(self, person: int) -> tuple[int, tuple[int, ...]]:
        """Return the worth of the person's best optional meetings, and their numbers.

        They are apart from the meetings that require the person, and from each other. Weighted
        interval scheduling (Kleinberg and Tardos, Algorithm Design, 6.1), O(n log n) unless
        journeys make the intervals unequal.
        """
        wanted = []
        for number in self.soft[person]:
            column, seat = self.place[number], self.seat[number][person]
            if self.can[number][seat] >> column & 1:
                preference = self.options[number].optional[column, seat]
                wanted.append((number, int(self.extra[preference + 1])))
        if not wanted:
            return (0, ())
        attend = self._attend_with_journeys if self._has_journeys else self._attend_intervals
        return attend(self.hard[person], wanted)

    def _attend_intervals(
        self, hard: list[int], wanted: list[tuple[int, int]]
    ) -> tuple[int, tuple[int, ...]]:
        taken = sorted(map(self._interval, hard))  # these are apart
        ends: list[int] = []
        best: list[tuple[int, tuple[int, ...]]] = [(0, ())]  # among the first 0, 1, 2, … intervals
        for end, begin, number, value in sorted(
            (*self._interval(number)[::-1], number, value) for number, value in wanted
        ):
            before = bisect_left(taken, (end,)) - 1
            if before < 0 or taken[before][1] <= begin:
                most, numbers = best[bisect_right(ends, begin)]
                ends.append(end)
                best.append(max(best[-1], (most + value, (*numbers, number)), key=itemgetter(0)))
        return best[-1]

    def _attend_with_journeys(
        self, hard: list[int], wanted: list[tuple[int, int]]
    ) -> tuple[int, tuple[int, ...]]:
        best: list[tuple[int, tuple[int, ...]]] = [(0, ())]
        for number, value in sorted(wanted, key=lambda pair: (self.begin[pair[0]], pair[0])):
            if not any(self._clash(number, other) for other in hard):
                most, numbers = max(
                    (way for way in best if not any(self._clash(number, n) for n in way[1])),
                    key=itemgetter(0),
                )
                best.append((most + value, (*numbers, number)))
        return max(best, key=itemgetter(0))

    def _interval(self, number: int) -> tuple[int, int]:
        return self.begin[number], self.begin[number] + self.apart[number][number]

    def _clash(self, one: int, other: int) -> bool:
        later = self.begin[one] - self.begin[other]
        return -self.apart[one][other] < later < self.apart[other][one]

    def attended(self, person: int) -> list[int]:
        """Return the placed meetings that a person attends, required or not."""
        assert self.total is not None
        return [*self.hard[person], *self._attended[person][1]]

    def attends(self) -> list[list[int]]:
        """Return the optional people who attend each meeting."""
        assert self.total is not None
        attendees: list[list[int]] = [[] for _ in self.place]
        for person, (_, numbers) in enumerate(self._attended):
            for number in numbers:
                attendees[number].append(person)
        return attendees

    def value(self, numbers: Iterable[int] | None = None) -> Value:
        """Add up the worth of the placement, or of these meetings, anew."""
        total = np.zeros(5, np.int64)
        attends = self.attends()
        for number in range(len(self.place)) if numbers is None else numbers:
            column = self.place[number]
            if column >= 0:
                option = self.options[number]
                seats = [self.seat[number][person] for person in attends[number]]
                total += option.gain[column]
                total += worth(option.optional[column, seats]).sum(axis=0)
        return Value.from_key(total.tolist())


def _weights(meetings: Sequence[Meeting]) -> list[int]:
    """Return weights that turn the counts of Value.key into one number.

    Each weight is above the largest sum of all later counts.
    """
    people = 1 + sum(len(m.required) + len(m.optional) for m in meetings)
    weights = [1]
    for base in (10 * people, people, people, people):
        weights.append(weights[-1] * base)
    return weights[::-1]


def _weighted(gain: Ints, exact: NDArray[Any]) -> NDArray[Any]:
    """Return the weighted sum of each row of counts.

    Neighbouring rows are often equal, and sums beyond 64 bits take long.
    """
    heads = np.flatnonzero(np.append(True, (gain[1:] != gain[:-1]).any(axis=1))[: len(gain)])
    return np.repeat(gain[heads] @ exact, np.diff(heads, append=len(gain)))


def _most_covered(is_open: int, comes: Sequence[int]) -> int:
    """Return the open columns at which the most optional people can come."""
    at_least = [is_open]  # the columns at which at least 0, 1, 2, … people can come
    for columns in comes:
        more = (a | (b & columns) for a, b in zip(at_least[1:], at_least, strict=False))
        at_least = [is_open, *more, at_least[-1] & columns]
    return next(mask for mask in reversed(at_least) if mask)


def _mask(flags: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def bits(mask: int, count: int) -> NDArray[np.uint8]:
    """Return a set of columns as zeros and ones, (count,)."""
    return np.unpackbits(
        np.frombuffer(mask.to_bytes(count // 8 + 1, "little"), np.uint8),
        count=count,
        bitorder="little",
    )


def _members(mask: int) -> NDArray[np.intp]:
    return np.flatnonzero(bits(mask, mask.bit_length()))
