"""What a start loses against a better one: told from the same rows of preferences as the ranks."""

from dataclasses import dataclass

import numpy as np

from .profile import profile_of_rows
from .rank import FAIR, keys
from .windows import Bools, Bytes


@dataclass(frozen=True, slots=True)
class Loss:
    """What one start has less than another.

    required, optional: who could come to the other one and can't come to this one; gained: who can
    come to this one only; all ascending. missing, cannot, if_need_be, works: how many more required
    people can't, people can't, come if need be, and for how many more it works but is not ideal;
    preference: how much smaller their sum is. Negative where this start is the better one.
    """

    required: tuple[int, ...]
    optional: tuple[int, ...]
    gained: tuple[int, ...]
    missing: int
    cannot: int
    if_need_be: int
    works: int
    preference: int


def losses(best: Bytes, others: Bytes, required: Bools) -> list[Loss]:
    """Compare starts with the best one, each as a row of `preferences`: best (people,), others (n,
    people). O(n people).
    """
    rows = np.concatenate((best[None, :], others))
    values = np.array(keys(profile_of_rows(rows, required, 1), FAIR))
    came, come = best >= 0, others >= 0
    lost, gained = came & ~come, come & ~came
    return [
        Loss(_who(row & required), _who(row & ~required), _who(more), *difference)
        for row, more, difference in zip(
            lost, gained, (values[0] - values[1:]).tolist(), strict=True
        )
    ]


def _who(mask: Bools) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask).tolist())
