"""Answers still missing: how far each start may rise or fall, and whose answer alone could change
which one is the best.

Who has not answered would come to every start or to none, as far as anybody knows, and that changes
no order (Profile.joined_by). What can change it is an answer that tells starts apart; the most that
one can do for a start is to come to it, ideally, and to no other.
"""

import numpy as np

from .marks import Align
from .profile import Profile
from .rank import FAIR, Rule, Slot, best, scores
from .robust import away_from
from .windows import BEST_PREFERENCE, Ints


def rank_range(p: Profile, *, required: int, optional: int, rule: Rule = FAIR) -> tuple[Ints, Ints]:
    """Return the best and the worst place, from 1, that each start of `p` can still take among
    them: (S,), (S,).

    required, optional: how many have not answered. Optimistic: they all come to this start,
    ideally, and to none of the others. Pessimistic: they come to all the others, and none of them
    to this one. `p`: one start a row, the earlier first. O(S log S).
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
    """Return the start that becomes the best if one more person wants it so, or None if no answer
    of theirs makes another start the best.

    Another start is at least the meeting's duration apart; moving the best one a little is no
    other. Exact: of all the answers that the person could give, none does more for a start than to
    offer just its time, ideally. All people required are alike in this, and so are all who are not.
    O(S).
    """
    one = {"required": int(required), "optional": int(not required)}
    leading = best(p.joined_by(**one), 1, rule=rule, align=align)
    if not leading:
        return None
    helped = best(
        away_from(p.joined_by(**one, preference=BEST_PREFERENCE), leading[0].start),
        1,
        rule=rule,
        align=align,
    )
    if helped and (helped[0].key, -helped[0].start) > (leading[0].key, -leading[0].start):
        return helped[0]
    return None
