"""A joint placement that can be changed and valued within microseconds: the board on which the
search moves meetings about.

A placement is only the starts: given those, who of the optional people attends what is decided
exactly (weighted interval scheduling, one person at a time, and only for those whose meetings
moved). Sets of columns are whole numbers, bit c for column c: where a meeting is open is then a few
operations on them, whatever the horizon.
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
    """place: each meeting's column, or -1. total: what it is all worth, one whole number that
    orders as Value.key does.
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
        self.begin = [0] * len(meetings)  # where it starts, if it has a place
        self.hard: list[list[int]] = [
            [] for _ in range(people)
        ]  # the placed meetings that require somebody
        self.soft: list[list[int]] = [
            [] for _ in range(people)
        ]  # the placed meetings that somebody may attend
        self.starts = [array("q", option.start.tobytes()) for option in options]
        self.weights = _weights(meetings)
        exact = np.array(
            self.weights,
            np.int64 if self.weights[0] * sum(m.priority for m in meetings) < 2**62 else object,
        )
        self.gain = [_added_up(option.gain, exact) for option in options]
        self.extra = worth(np.arange(CANNOT - 1, BEST_PREFERENCE + 1)) @ exact  # by preference + 1
        self.score = [gain.astype(np.float64) for gain in self.gain]
        self.extra_score = self.extra.astype(np.float64)
        self.can = [[_mask(row) for row in (option.optional >= 0).T] for option in options]
        self.seat = [{person: seat for seat, person in enumerate(m.optional)} for m in meetings]
        self._needs = [sum(1 << person for person in meeting.required) for meeting in meetings]
        self._rivals: dict[int, list[int]] = {}
        self._has_journeys = any(len(set(row)) > 1 for row in apart)
        self._total = 0
        self._attended: list[tuple[int, tuple[int, ...]]] = [
            (0, ())
        ] * people  # what optional attendances are worth, and which
        self._changed: set[int] = set()

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
        """Place these meetings so; where nothing changes nothing is done."""
        changed = [(n, c) for n, c in zip(numbers, columns, strict=True) if self.place[n] != c]
        for number, _ in changed:
            self.take(number)
        for number, column in changed:
            if column >= 0:
                self.put(number, column)

    def open(self, number: int) -> int:
        """Return at which of its columns none of the people it requires is elsewhere, a set of
        columns.
        """
        rivals = [other for other in self.rivals(number) if self.place[other] >= 0]
        return ((1 << len(self.starts[number])) - 1) & ~self.near(number, rivals)

    def rivals(self, number: int) -> list[int]:
        """Return the other meetings that require somebody whom this one requires, ascending."""
        if number not in self._rivals:
            needs = self._needs[number]
            self._rivals[number] = [
                other
                for other, theirs in enumerate(self._needs)
                if needs & theirs and other != number
            ]
        return self._rivals[number]

    def near(self, number: int, others: Iterable[int]) -> int:
        """Return the columns of a meeting that are too near to one of the others."""
        near = 0
        for other in others:
            near |= self.near_start(number, other, self.begin[other])
        return near

    def near_start(self, number: int, other: int, begin: int) -> int:
        """Return the columns of a meeting that are too near to another one if that begins then."""
        starts = self.starts[number]
        low, high = (
            bisect_right(starts, begin - self.apart[number][other]),
            bisect_left(starts, begin + self.apart[other][number]),
        )
        return (1 << high) - (1 << low) if low < high else 0

    def first_place(self, number: int) -> int:
        """Return the column that is open and best for the people it requires, whatever the optional
        ones do; -1 if there is none.
        """
        some = _members(self.open(number))
        return int(some[self.score[number][some].argmax()]) if len(some) else NOWHERE

    def best_place(self, number: int, noise: NDArray[np.floating] | None = None) -> int:
        """Return the best column that is open, counting the optional people who are not required
        elsewhere then; -1 if there is none.

        noise: by how much the worth of each column is mistaken, on purpose.
        """
        is_open = self.open(number)
        if not is_open:
            return NOWHERE
        near = cache(
            lambda other: self.near(number, [other])
        )  # many of them have the same meetings
        comes = []
        for can, person in zip(self.can[number], self.meetings[number].optional, strict=True):
            comes.append(is_open & can & ~reduce(or_, map(near, self.hard[person]), 0))
        most = [is_open]  # where at least so many optional people can come
        for one in comes:
            most = [
                most[0],
                *(a | (b & one) for a, b in zip(most[1:], most, strict=False)),
                most[-1] & one,
            ]
        some = _members(
            is_open if noise is not None else next(mask for mask in reversed(most) if mask)
        )
        score = self.score[number][some]
        for seat, one in enumerate(comes):
            if one:
                extra = self.extra_score[
                    self.options[number].optional[some, seat].astype(np.intp) + 1
                ]
                score = score + extra * bits(one, len(self.starts[number]))[some]
        if noise is not None:
            score = score + noise[some]
        return int(some[score.argmax()])  # of equal scores, the first, which is the earliest

    @property
    def total(self) -> int:
        for person in self._changed:
            self._total -= self._attended[person][0]
            self._attended[person] = self._attend(person)
            self._total += self._attended[person][0]
        self._changed.clear()
        return self._total

    def _attend(self, person: int) -> tuple[int, tuple[int, ...]]:
        """Return what the best choice of optional meetings is worth to all, and which: those apart
        from the hard ones and each other.

        Weighted interval scheduling, Kleinberg and Tardos, Algorithm Design, 6.1: in O(n log n),
        but where journeys make the intervals unequal.
        """
        wanted = []
        for number in self.soft[person]:
            column, seat = self.place[number], self.seat[number][person]
            if self.can[number][seat] >> column & 1:
                wanted.append(
                    (number, int(self.extra[self.options[number].optional[column, seat] + 1]))
                )
        if not wanted:
            return (0, ())
        return (self._attend_with_journeys if self._has_journeys else self._attend_intervals)(
            self.hard[person], wanted
        )

    def _attend_intervals(
        self, hard: list[int], wanted: list[tuple[int, int]]
    ) -> tuple[int, tuple[int, ...]]:
        taken = sorted(map(self._interval, hard))  # these are apart
        ends: list[int] = []
        best: list[tuple[int, tuple[int, ...]]] = [(0, ())]  # of the first so many
        for end, begin, number, worth_of in sorted(
            (*self._interval(number)[::-1], number, worth_of) for number, worth_of in wanted
        ):
            before = bisect_left(taken, (end,)) - 1
            if before < 0 or taken[before][1] <= begin:
                most, some = best[bisect_right(ends, begin)]
                ends.append(end)
                best.append(max(best[-1], (most + worth_of, (*some, number)), key=itemgetter(0)))
        return best[-1]

    def _attend_with_journeys(
        self, hard: list[int], wanted: list[tuple[int, int]]
    ) -> tuple[int, tuple[int, ...]]:
        best: list[tuple[int, tuple[int, ...]]] = [(0, ())]
        for number, worth_of in sorted(wanted, key=lambda one: (self.begin[one[0]], one[0])):
            if not any(self._clash(number, other) for other in hard):
                most, some = max(
                    (one for one in best if not any(self._clash(number, n) for n in one[1])),
                    key=itemgetter(0),
                )
                best.append((most + worth_of, (*some, number)))
        return max(best, key=itemgetter(0))

    def _interval(self, number: int) -> tuple[int, int]:
        return self.begin[number], self.begin[number] + self.apart[number][number]

    def _clash(self, one: int, other: int) -> bool:
        later = self.begin[one] - self.begin[other]
        return -self.apart[one][other] < later < self.apart[other][one]

    def attended(self, person: int) -> list[int]:
        """Return the placed meetings that somebody is in, required or not."""
        assert self.total is not None
        return [*self.hard[person], *self._attended[person][1]]

    def attends(self) -> list[list[int]]:
        """Return which optional people attend each meeting."""
        assert self.total is not None
        found: list[list[int]] = [[] for _ in self.place]
        for person, (_, numbers) in enumerate(self._attended):
            for number in numbers:
                found[number].append(person)
        return found

    def value(self, numbers: Iterable[int] | None = None) -> Value:
        """Return what the placement, or that of some meetings, is worth, added up anew."""
        total = np.zeros(5, np.int64)
        attends = self.attends()
        for number in range(len(self.place)) if numbers is None else numbers:
            column = self.place[number]
            if column >= 0:
                seats = [self.seat[number][person] for person in attends[number]]
                total += self.options[number].gain[column] + worth(
                    self.options[number].optional[column, seats]
                ).sum(axis=0)
        return Value.from_key(total.tolist())


def _weights(meetings: Sequence[Meeting]) -> list[int]:
    """Return weights with which the counts of Value.key add up to one number: each is above all
    that those behind it can sum up to.
    """
    people = 1 + sum(len(m.required) + len(m.optional) for m in meetings)
    weights = [1]
    for base in (10 * people, people, people, people):
        weights.append(weights[-1] * base)
    return weights[::-1]


def _added_up(gain: Ints, exact: NDArray[Any]) -> NDArray[Any]:
    """Return what each row of counts comes to. Rows in a row are often the same, and sums beyond 64
    bits take long.
    """
    heads = np.flatnonzero(np.append(True, (gain[1:] != gain[:-1]).any(axis=1))[: len(gain)])
    return np.repeat(gain[heads] @ exact, np.diff(heads, append=len(gain)))


def _mask(flags: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def bits(mask: int, count: int) -> NDArray[np.uint8]:
    """Return which of so many columns are in the set, (count,) of 0 and 1."""
    return np.unpackbits(
        np.frombuffer(mask.to_bytes(count // 8 + 1, "little"), np.uint8),
        count=count,
        bitorder="little",
    )


def _members(mask: int) -> NDArray[np.intp]:
    return np.flatnonzero(bits(mask, mask.bit_length()))
