"""Find the two sessions that together reach the most people, exactly.

Each segment has a set of bits: who can come. A tree above the segments (unions.py) bounds the reach
of any pair of segments below two nodes: a dual-tree branch and bound, as in Curtin, Ram and Gray,
Fast exact max-kernel search (SDM 2013), with unions for kernels.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .explain import preferences
from .marks import Align, Marks, marks_of
from .profile import checked, profile
from .rank import attending, best
from .robust import away_from
from .unions import FAN, NEVER, Level, Places, Words, children_of, packed, tree_of
from .windows import IDEAL, WORKS, Bools, Bytes, Ints, Windows, distinct, from_arrays, levels

MOST_PAIRS = 20_000_000  # of sets to unite; beyond it the answer is the best so far, unproved
_PAIRS_AT_ONCE = 512
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class TwoSessions:
    """Two starts whose meetings do not overlap, first before second.

    preferences (people,): each person's larger preference of the two, -1 = neither. proved: no pair
    is better.
    """

    first: int
    second: int
    preferences: Bytes
    proved: bool


class _Key(NamedTuple):
    """The worth of a pair, larger is better. rest: one number for all other criteria."""

    reached: int
    rest: int
    first: int
    second: int


def two_sessions(
    free: Windows,
    duration: int,
    *,
    required: Bools | None = None,
    earliest: int,
    latest_end: int,
    align: Align | None = None,
    most_pairs: int = MOST_PAIRS,
) -> TwoSessions | None:
    """Return the best pair of starts, or None if no two sessions fit.

    Better means more people reached, then fewer required people not reached; then, for people at
    the session they like better, fewer *if need be*, fewer *works*, a larger sum of preferences;
    then the earlier first start, then the earlier second one. align: as for `best`. S segments have
    S²/2 pairs, each O(people / 64). The bounds leave few of them, but some inputs defeat the
    bounds, and `most_pairs` ends that search. ValueError as profile, or for more than 30,000
    people.
    """
    must = checked(free, duration, required, earliest, latest_end)
    if free.people > 30_000:
        raise ValueError("Two sessions can be found for at most 30,000 people.")
    grid = marks_of(align)
    p = profile(free, duration, required=must, earliest=earliest, latest_end=latest_end)
    start, last, count = grid.at_or_after(p.first), grid.at_or_before(p.last), p.attending
    aligned = np.flatnonzero(start <= last)
    start, last, count = start[aligned], last[aligned], count[aligned]
    if not len(start) or last[-1] - start[0] < duration:
        return None
    if not len(free):
        first = int(start[0])
        second = int(grid.at_or_after(first + duration))
        return TwoSessions(first, second, np.full(free.people, -1, np.int8), proved=True)
    search = _Search(free, duration, must, grid, most_pairs)
    for leading in best(p, 3, rule=(attending,), align=align):
        search.begin_with(leading.start, earliest, latest_end)
    near = np.flatnonzero(count + count.max() >= search.best.reached)
    search.run(start[near], last[near], count[near])
    first, second = -search.best.first, -search.best.second
    both = preferences(free, [first, second], duration).max(axis=0)
    return TwoSessions(first, second, both, proved=search.left >= 0)


class _Search:
    """The best pair so far, and the search for a better one."""

    def __init__(
        self, free: Windows, duration: int, must: Bools, grid: Marks, most_pairs: int
    ) -> None:
        self.free, self.duration, self.must, self.grid = free, duration, must, grid
        self.left = most_pairs
        self.best = _Key(-1, -1, -NEVER, -NEVER)
        self.thresholds = distinct(free.preference)
        self.band = levels(self.thresholds)
        self.weight: Ints = np.diff(self.thresholds.astype(np.int64), prepend=0).astype(np.int64)
        self.base = free.people + 1

    def begin_with(self, start: int, earliest: int, latest_end: int) -> None:
        """Pair a start with the one that reaches most others."""
        row = preferences(self.free, [start], self.duration)[0]
        others = np.flatnonzero(row[self.free.who] < 0)
        free = self.free
        columns = (c[others] for c in (free.who, free.start, free.end, free.preference))
        left = from_arrays(*columns, people=free.people)
        bounds = {"earliest": earliest, "latest_end": latest_end}
        rest = profile(left, self.duration, required=self.must, **bounds)
        for other in best(away_from(rest, start), 1, rule=(attending,), align=self.grid):
            pair = np.maximum(row, preferences(self.free, [other.start], self.duration)[0])
            sets = packed(pair[None, :], self.thresholds)
            first, second = sorted((start, other.start))
            reached, rank = int((pair >= 0).sum()), int(self.rest(sets)[0])
            self.best = max(self.best, _Key(reached, rank, -first, -second))

    def rest(self, sets: Words) -> Ints:
        """Return a number for all criteria but the reach, larger is better.

        It is never smaller for a larger set, so a union bounds its members.
        """
        counts = np.bitwise_count(sets).sum(axis=1, dtype=np.int64)
        mask = np.packbits(
            np.pad(self.must, (0, sets.shape[1] * 64 - len(self.must))), bitorder="little"
        ).view(np.uint64)
        needed = np.bitwise_count(sets[0] & mask[:, None]).sum(axis=0, dtype=np.int64)
        at = [
            counts[self.band.searchsorted(level)] if self.band[-1] >= level else 0 * needed
            for level in (WORKS, IDEAL)
        ]
        return np.asarray(
            ((needed * self.base + at[0]) * self.base + at[1]) * (11 * self.base)
            + self.weight @ counts
        )

    def run(self, start: Ints, last: Ints, most: Ints) -> None:
        """Try every pair of segments that the bounds do not exclude."""
        rows = (
            preferences(self.free, start[at : at + _ROWS_AT_ONCE], self.duration)
            for at in range(0, len(start), _ROWS_AT_ONCE)
        )
        sets = np.concatenate([packed(part, self.thresholds) for part in rows], axis=2)
        tree = tree_of(Level(sets, most, start, last))
        root = np.zeros(1, np.intp)
        stack = [(len(tree) - 1, root, root, np.array([NEVER]))]
        while stack and self.left >= 0:
            level, a, b, bound = stack.pop()
            hopeful = bound >= self.best.reached
            if not hopeful.any():
                continue
            a, b, bound = self.children(tree[level - 1], a[hopeful], b[hopeful])
            if level == 1:
                self.take(tree[0], a, b, bound)
                continue
            # The most promising pairs are popped first, and of equal ones the earlier.
            order = np.argsort(-bound, kind="stable")
            for at in reversed(range(0, len(order), _PAIRS_AT_ONCE)):
                part = order[at : at + _PAIRS_AT_ONCE]
                stack.append((level - 1, a[part], b[part], bound[part]))

    def children(self, level: Level, a: Places, b: Places) -> tuple[Places, Places, Ints]:
        """Return the pairs of children that may be better, and their reach."""
        self.left -= len(a) * FAN * FAN
        reached, apart = children_of(level, a, b)
        family, one, other = np.nonzero((apart >= self.duration) & (reached >= self.best.reached))
        bound = reached[family, one, other].astype(np.int64)
        a, b = a[family] * FAN + one, b[family] * FAN + other
        even = np.flatnonzero(bound == self.best.reached)
        keep = np.ones(len(a), np.bool_)
        keep[even] = self.may_win(level, a[even], b[even])
        return a[keep], b[keep], bound[keep]

    def may_win(self, level: Level, a: Places, b: Places) -> Bools:
        """Return which pairs may beat the best one with equal reach."""
        rest = self.rests(level, a, b)
        first = level.start[a]
        second = self.second(first, level.start[b])
        first_of, second_of = -self.best.first, -self.best.second
        earlier = (first < first_of) | ((first == first_of) & (second < second_of))
        return np.asarray((rest > self.best.rest) | ((rest == self.best.rest) & earlier))

    def take(self, leaves: Level, a: Places, b: Places, reached: Ints) -> None:
        """Keep the best of these pairs if it beats the best so far."""
        most = np.flatnonzero(reached == reached.max(initial=0))
        a, b = a[most], b[most]
        rest = self.rests(leaves, a, b)
        even = np.flatnonzero(rest == rest.max(initial=-1))
        if len(even):
            first = leaves.start[a[even]]
            second = self.second(first, leaves.start[b[even]])
            i = np.lexsort((second, first))[0]
            worth = int(reached[most[0]]), int(rest[even[0]])
            self.best = max(self.best, _Key(*worth, -int(first[i]), -int(second[i])))

    def rests(self, level: Level, a: Places, b: Places) -> Ints:
        cuts = [slice(at, at + _ROWS_AT_ONCE) for at in range(0, len(a), _ROWS_AT_ONCE)]
        parts = [self.rest(level.sets[:, :, a[cut]] | level.sets[:, :, b[cut]]) for cut in cuts]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def second(self, first: Ints, start: Ints) -> Ints:
        """Return the earliest second starts in segments that begin at `start`."""
        return np.maximum(start, self.grid.at_or_after(first + self.duration))
