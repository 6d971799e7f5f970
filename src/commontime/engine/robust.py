"""Compute what happens when somebody cancels."""

from dataclasses import replace

import numpy as np

from .marks import Align
from .profile import Profile
from .rank import FAIR, Rule, Slot, best
from .windows import CANNOT, Bools, Bytes, Ints, levels


def survives(attending: Ints, spare: Ints, quorum: int = 0) -> Ints:
    """Return how many people may cancel before the meeting lacks somebody, (n,).

    attending (n,): how many come to each start. spare (n,): how many of them may cancel, such as
    the optional people; which of them do makes no difference. quorum: how many it needs in all.
    """
    return np.maximum(np.minimum(spare, attending - quorum), 0)


def away_from(p: Profile, start: int) -> Profile:
    """Return the profile without starts that overlap a meeting at `start`. O(S)."""
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
    """Return the best start that does not overlap with the best one. O(S)."""
    return next(iter(best(away_from(p, best_one.start), 1, rule=rule, align=align)), None)


def overtaken(
    p: Profile, best_one: Slot, other: Slot, row: Bytes, *, required: Bools, rule: Rule = FAIR
) -> Bools:
    """Return the people whose cancellation makes the other start better: (people,).

    Each cancels alone, and for the best start only. row (people,): their preferences for it, as
    `preferences` returns them. O(people).
    """
    who = np.flatnonzero(row >= 0)
    without = _without_each(p, best_one, row[who], required[who].astype(np.int64))
    worse = np.full(len(who), other.start < best_one.start)
    for criterion, value in reversed(list(zip(rule, other.key, strict=True))):
        mine = criterion(without)
        worse = (mine < value) | ((mine == value) & worse)
    overtakes = np.zeros(len(row), np.bool_)
    overtakes[who] = worse
    return overtakes


def _without_each(p: Profile, slot: Slot, preferences: Bytes, required: Ints) -> Profile:
    """Return the start without each of these people in turn."""
    bands = np.eye(4, dtype=np.int64)
    change = bands[CANNOT] - bands[levels(preferences)]
    start, lost = np.full(len(preferences), slot.start), preferences.astype(np.int64)
    return replace(
        p,
        first=start,
        last=start,
        required=np.array(slot.required) + change * required[:, None],
        everyone=np.array(slot.everyone) + change,
        required_preference=slot.required_preference - lost * required,
        preference=slot.preference - lost,
    )
