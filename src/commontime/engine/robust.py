"""What if somebody cancels: how much a start bears, and the best one to fall back on."""

from dataclasses import replace

import numpy as np

from .marks import Align
from .profile import Profile
from .rank import FAIR, Rule, Slot, best
from .windows import CANNOT, Bools, Bytes, Ints, levels


def survives(attending: Ints, spare: Ints, quorum: int = 0) -> Ints:
    """Return how many people may cancel so that the meeting still has what it needs, whoever of
    those who may they are: (n,).

    attending, spare (n,): how many come to each start, and how many of them it does not need each
    for themselves, such as the optional ones. quorum: how many it needs in all.
    """
    return np.maximum(np.minimum(spare, attending - quorum), 0)


def away_from(p: Profile, start: int) -> Profile:
    """Leave out the starts at which the meeting would overlap with one at `start`. O(S)."""
    before, after = start - p.duration, start + p.duration
    left, right = np.flatnonzero(p.first <= before), np.flatnonzero(p.last >= after)
    rows = np.concatenate((left, right))
    first = np.concatenate((p.first[left], np.maximum(p.first[right], after)))
    last = np.concatenate((np.minimum(p.last[left], before), p.last[right]))
    counts = (
        column[rows] for column in (p.required, p.everyone, p.required_preference, p.preference)
    )
    return Profile(p.duration, first, last, *counts)


def plan_b(
    p: Profile, best_one: Slot, *, rule: Rule = FAIR, align: Align | None = None
) -> Slot | None:
    """Return the best start if the best one falls through: at least the meeting's duration apart
    from it. O(S).
    """
    return next(iter(best(away_from(p, best_one.start), 1, rule=rule, align=align)), None)


def overtaken(
    p: Profile, best_one: Slot, other: Slot, row: Bytes, *, required: Bools, rule: Rule = FAIR
) -> Bools:
    """Return whose cancellation alone, for the best start only, makes the other start better than
    it: (people,).

    row (people,): their preferences for the best start, as `preferences` gives them. O(people).
    """
    who = np.flatnonzero(row >= 0)
    bands, must = np.eye(4, dtype=np.int64), required[who].astype(np.int64)
    change = bands[CANNOT] - bands[levels(row[who])]
    start, lost = np.full(len(who), best_one.start), row[who].astype(np.int64)
    without = replace(
        p,
        first=start,
        last=start,
        required=np.array(best_one.required) + change * must[:, None],
        everyone=np.array(best_one.everyone) + change,
        required_preference=best_one.required_preference - lost * must,
        preference=best_one.preference - lost,
    )
    worse = np.full(len(who), other.start < best_one.start)
    for key, value in reversed(list(zip(rule, other.key, strict=True))):
        mine = key(without)
        worse = (mine < value) | ((mine == value) & worse)
    found = np.zeros(len(row), np.bool_)
    found[who] = worse
    return found
