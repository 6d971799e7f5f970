"""Compute how missing answers could change the ranking.

If people who have not answered come to every start, or to none, the order stays as it is
(Profile.joined_by). Only an answer that tells starts apart changes it. The most that an answer can
do for a start is to come to it, ideally, and to no other.
"""

import numpy as np

from .marks import Align
from .profile import Profile
from .rank import FAIR, Rule, Slot, best, scores
from .robust import away_from
from .windows import BEST_PREFERENCE, Ints


def rank_range(p: Profile, *, required: int, optional: int, rule: Rule = FAIR) -> tuple[Ints, Ints]:
    """Return the best and the worst rank each start can still take.

    (S,), (S,), from 1. p: a row for each start, the earlier first. required, optional: how many
    people have not answered. Optimistic: they all come to this start, ideally, and to none of the
    others. Pessimistic: they come to all the others, and none of them to this one. O(S log S).
    """
    high = p.joined_by(required=required, optional=optional, preference=BEST_PREFERENCE)
    low = p.joined_by(required=required, optional=optional)
    score = scores([np.concatenate((key(high), key(low))) for key in rule])
    count = np.arange(len(p))
    # Of equal scores the earlier start is the better one: so no two starts are equal.
    place = score * len(p) + count[::-1][np.tile(count, 2)] if len(p) else score
    with_all, with_none = place[: len(p)], place[len(p) :]

    def better(than: Ints, others: Ints, own: Ints) -> Ints:
        return len(p) - np.sort(others).searchsorted(than, side="right") - (own > than)

    return 1 + better(with_all, with_none, with_none), 1 + better(with_none, with_all, with_all)


def could_win(
    p: Profile, *, required: bool, rule: Rule = FAIR, align: Align | None = None
) -> Slot | None:
    """Return the start that one more answer could make the best.

    None if there is none. It is at least the meeting's duration away from the best one, because
    moving that a little is no other choice. Exact: no answer does more for a start than to offer
    just its time, ideally. All required people are alike in this, and so are all optional ones.
    O(S).
    """
    one = {"required": int(required), "optional": int(not required)}
    leading = best(p.joined_by(**one), 1, rule=rule, align=align)
    if not leading:
        return None
    others = away_from(p.joined_by(**one, preference=BEST_PREFERENCE), leading[0].start)
    helped = best(others, 1, rule=rule, align=align)
    if helped and (helped[0].key, -helped[0].start) > (leading[0].key, -leading[0].start):
        return helped[0]
    return None
