"""Rank starts by lexicographic rules; of equal starts the earliest is best."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .marks import Align, marks_of
from .profile import Profile
from .windows import IF_NEED_BE, WORKS, Ints

type Criterion = Callable[[Profile], Ints]
"""Returns a number for each segment, (S,) int64; larger is better."""
type Rule = tuple[Criterion, ...]
"""Criteria in order of importance. Where all are equal, the earlier start is better."""


def present(p: Profile) -> Ints:
    """Prefer fewer required people missing."""
    return -p.missing


def attending(p: Profile) -> Ints:
    """Prefer more people attending."""
    return p.at_least(IF_NEED_BE)


def fewest(level: int) -> Criterion:
    """Prefer fewer people at this level.

    With equal attendance, these criteria from the lowest level up are leximin (Sen, Collective
    Choice and Social Welfare, 1970).
    """
    return lambda p: -p.everyone[:, level]


def enough(quorum: int) -> Criterion:
    """Prefer starts at which at least so many people attend."""
    return lambda p: (p.attending >= quorum).astype(np.int64)


def preference(p: Profile) -> Ints:
    """Prefer the larger sum of preferences."""
    return p.preference


FAIR: Rule = (present, attending, fewest(IF_NEED_BE), fewest(WORKS), preference)


def rule_for(quorum: int | None) -> Rule:
    """Return the order of a meeting's starts. With a quorum, those that reach it come first."""
    return (enough(quorum), *FAIR) if quorum else FAIR


def keys(p: Profile, rule: Rule) -> list[tuple[int, ...]]:
    """Return the value of each criterion at each segment. The larger tuple is the better start."""
    return list(zip(*(criterion(p).tolist() for criterion in rule), strict=True))


@dataclass(frozen=True, slots=True)
class Slot:
    """A start worth suggesting.

    Every start in [start, last] suits everybody as well. segment: the profile's index of that
    range. required, everyone: people at levels 0..3. preference: their sum. key: the value of each
    criterion of the rule, larger is better.
    """

    start: int
    last: int
    segment: int
    required: tuple[int, ...]
    everyone: tuple[int, ...]
    required_preference: int
    preference: int
    key: tuple[int, ...]


def best(
    p: Profile,
    k: int = 10,
    *,
    rule: Rule = FAIR,
    align: Align | None = None,
    apart: int | None = None,
) -> list[Slot]:
    """Return at most k of the best starts, best first, one per segment.

    align: only starts on these marks, or at multiples of so many ticks. apart: leave out starts
    nearer than so many ticks to a better one, by default the meeting's duration. ValueError: k < 0,
    align < 1, apart < 0, an empty rule. O(S k).
    """
    distance = p.duration if apart is None else apart
    if k < 0 or distance < 0 or not rule:
        raise ValueError("k and apart must be at least 0, and a rule has at least one criterion.")
    start, segment = p.first, np.arange(len(p))
    values = [criterion(p) for criterion in rule]
    if align is not None:
        start = marks_of(align).at_or_after(start)
        segment = np.flatnonzero(start <= p.last)
        start, values = start[segment], [value[segment] for value in values]
    score = scores(values)
    chosen: list[int] = []
    while len(chosen) < k and len(score):
        i = int(score.argmax())  # of equal scores, the first, which is the earliest
        if score[i] < 0:
            break
        chosen.append(i)
        near = slice(*start.searchsorted((start[i] - distance + 1, start[i] + distance)).tolist())
        score[near] = score[i] = -1
    return _slots(p, start[chosen], segment[chosen], [value[chosen] for value in values])


def scores(keys: list[Ints]) -> Ints:
    """Return numbers >= 0 that order the rows as the keys do."""
    score, largest = np.zeros(len(keys[0]), np.int64), 0
    for key in keys if len(score) else []:
        low, high = int(key.min()), int(key.max())
        if (largest + 1) * (high - low + 1) >= 2**63:
            # Ranks order as the numbers themselves do, and those of so many rows always fit.
            score, key = _ranks(score), _ranks(key)
            largest, low, high = int(score.max()), 0, int(key.max())
        score *= high - low + 1
        score += key
        score -= low
        largest = (largest + 1) * (high - low + 1) - 1
    return score


def _ranks(key: Ints) -> Ints:
    return np.unique(key, return_inverse=True)[1].astype(np.int64)


def _slots(p: Profile, start: Ints, segment: Ints, values: list[Ints]) -> list[Slot]:
    columns = (
        start.tolist(),
        p.last[segment].tolist(),
        segment.tolist(),
        map(tuple, p.required[segment].tolist()),
        map(tuple, p.everyone[segment].tolist()),
        p.required_preference[segment].tolist(),
        p.preference[segment].tolist(),
        zip(*(value.tolist() for value in values), strict=True),
    )
    return [Slot(*fields) for fields in zip(*columns, strict=True)]
