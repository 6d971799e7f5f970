"""Compare starts with a better one, by the criteria of their rank."""

from dataclasses import dataclass

import numpy as np

from .profile import profile_of_rows
from .rank import FAIR, keys
from .windows import Bools, Bytes


@dataclass(frozen=True, slots=True)
class Loss:
    """The differences between a start and a better one.

    required, optional: the people who can come to the other start and not to this one; gained:
    those who can come to this one only; all ascending. missing, cannot, if_need_be, works: how many
    more required people can't come, people can't come, come if need be, and for how many more it
    works but is not ideal; preference: how much smaller the sum is. Negative where this start is
    better.
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
    """Compare starts with the best one.

    Each start is a row of `preferences`: best (people,), others (n, people). O(n people).
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
