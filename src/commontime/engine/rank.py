"""Which starts are best: lexicographic rules, always ending in the earliest start."""

from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .profile import Profile
from .windows import IF_NEED_BE, WORKS, Ints

type Key = Callable[[Profile], Ints]
"""One criterion: a number per segment, (S,) int64; the larger is the better."""
type Rule = tuple[Key, ...]
"""Criteria in order of importance. What they leave open goes to the earlier start."""


def present(p: Profile) -> Ints:
    """Prefer fewer required people missing."""
    return -p.missing


def attending(p: Profile) -> Ints:
    """Prefer more people attending."""
    return p.at_least(IF_NEED_BE)


def fewest(level: int) -> Key:
    """Prefer fewer people at this level: with the same attendance, one after the other from the lowest level, it is leximin."""
    return lambda p: -p.everyone[:, level]


def at_least(level: int) -> Key:
    """Prefer more people at this level or above."""
    return lambda p: p.at_least(level)


def preference(p: Profile) -> Ints:
    """Prefer the larger sum of preferences."""
    return p.preference


def worst(p: Profile) -> Ints:
    """Prefer a higher level of whoever of those attending likes it least; 0 if nobody attends."""
    here = p.everyone[:, IF_NEED_BE:] > 0
    return np.where(here.any(axis=1), here.argmax(axis=1) + IF_NEED_BE, 0)


FAIR: Rule = (present, attending, fewest(IF_NEED_BE), fewest(WORKS), preference)
MOST: Rule = (present, attending, preference)
KIND: Rule = (present, worst, attending)


@dataclass(frozen=True, slots=True)
class Slot:
    """A start worth suggesting: every start in [start, last] suits everyone as well, and `segment` is the profile's index of that range.

    required, everyone: people at levels 0..3; preference: their sum; key: the value of each criterion of the rule, larger is better.
    """

    start: int
    last: int
    segment: int
    required: tuple[int, ...]
    everyone: tuple[int, ...]
    required_preference: int
    preference: int
    key: tuple[int, ...]


def best(p: Profile, k: int = 10, *, rule: Rule = FAIR, align: int | None = None, apart: int | None = None) -> list[Slot]:
    """Return the at most k best starts, one per segment, best first, ties by the earliest.

    align: only starts that are 0 modulo so many ticks. apart: leave out starts nearer than so many ticks to a better one, by default
    the meeting's duration. ValueError: align < 1, apart < 0, an empty rule. O(S) and a sort of few.
    """
    if k < 0 or (align is not None and align < 1) or (apart is not None and apart < 0) or not rule:
        raise ValueError("k and apart must be at least 0, align at least 1, and a rule has at least one criterion.")
    distance = p.duration if apart is None else apart
    start, segment = p.first, np.arange(len(p))
    values = [key(p) for key in rule]
    if align is not None:
        start = -(-start // align) * align
        segment = np.flatnonzero(start <= p.last)
        start, values = start[segment], [value[segment] for value in values]
    chosen: list[int] = []
    taken: list[int] = []
    for i in _in_order(values, k):
        if len(chosen) == k:
            break
        tick = int(start[i])
        place = bisect(taken, tick)
        if all(abs(tick - near) >= distance for near in taken[max(place - 1, 0) : place + 1]):
            taken.insert(place, tick)
            chosen.append(i)
    return [_slot(p, int(start[i]), int(segment[i]), tuple(int(value[i]) for value in values)) for i in chosen]


def _slot(p: Profile, start: int, segment: int, key: tuple[int, ...]) -> Slot:
    return Slot(
        start=start,
        last=int(p.last[segment]),
        segment=segment,
        required=tuple(p.required[segment].tolist()),
        everyone=tuple(p.everyone[segment].tolist()),
        required_preference=int(p.required_preference[segment]),
        preference=int(p.preference[segment]),
        key=key,
    )


def _in_order(keys: list[Ints], k: int) -> Iterator[int]:
    """Yield the positions from the best to the worst, sorting only so many as are asked for."""
    size = len(keys[0])
    done, wanted = 0, 4 * k + 4
    while done < size:
        order = top_rows(keys, min(wanted, size))
        yield from order[done:].tolist()
        done, wanted = len(order), 8 * wanted


def top_rows(keys: list[Ints], count: int) -> Ints:
    """Return the `count` best positions in order. Each key in turn narrows down the candidates, so that few of them are left to sort."""
    rows = np.arange(len(keys[0]) if count else 0)
    score = np.zeros(len(rows), np.int64)
    for key in keys:
        if len(rows) <= 2 * count:
            break
        column = key[rows]
        low, high = int(column.min()), int(column.max())
        span = high - low + 1
        if (int(score.max()) + 1) * span >= 2**62:
            score = np.unique(score, return_inverse=True)[1]
        score = score * span + (column - low)
        kept = np.flatnonzero(score >= np.partition(score, len(score) - count)[len(score) - count])
        rows, score = rows[kept], score[kept]
    return rows[np.lexsort([-key[rows] for key in reversed(keys)])][:count]
