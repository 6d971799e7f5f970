"""What a start loses against a better one: told from the same rows of preferences as the ranks."""

from dataclasses import dataclass

import numpy as np

from .windows import CANNOT, IF_NEED_BE, WORKS, Bools, Bytes, levels


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
    counts, at_best = _counts(others, required), _counts(best[None, :], required)
    came, come = best >= 0, others >= 0
    lost, gained = came & ~come, come & ~came
    return [
        Loss(_who(row & required), _who(row & ~required), _who(more), *difference)
        for row, more, difference in zip(lost, gained, (counts - at_best).tolist(), strict=True)
    ]


def _counts(rows: Bytes, required: Bools) -> np.ndarray:
    """Return what the ranks count, (n, 5): the less, the better."""
    level = levels(rows)
    cannot = level == CANNOT
    columns = (
        cannot & required,
        cannot,
        level == IF_NEED_BE,
        level == WORKS,
        -np.maximum(rows, 0).astype(np.int64),
    )
    return np.stack([column.sum(axis=1) for column in columns], axis=1)


def _who(mask: Bools) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask).tolist())
