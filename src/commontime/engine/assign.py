"""Assign one-on-ones to slots cut beforehand, exactly.

This is the assignment problem (Kuhn, Naval Research Logistics Quarterly 2, 1955); lapx solves it as
in Jonker and Volgenant, Computing 38, 1987.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from lap import lapjvx
from numpy.typing import ArrayLike, NDArray

from .erosion import lifts
from .explain import preferences
from .windows import BEST_PREFERENCE, IF_NEED_BE, WORKS, Bytes, Ints, Windows, levels

EXACT = 2**52  # float64 adds and subtracts integers below twice this without rounding
_VALUES = np.arange(-1, BEST_PREFERENCE + 1)
_LEVELS = levels(_VALUES)
# The worth of a pair in each criterion, by preference + 1. A pair that cannot meet is worth
# nothing, which is as good as no pair.
_CRITERIA = (
    _VALUES >= 0,
    -1 * (_LEVELS == IF_NEED_BE),
    -1 * (_LEVELS == WORKS),
    np.maximum(_VALUES, 0),
)


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Slots of the owner's free time.

    start (m,) int64, ascending. preference (people, m) int8: the smaller of both sides'; -1 =
    cannot.
    """

    start: Ints
    preference: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """An assignment of people to slots.

    slot (n,) int32: each person's, or -1. histogram: people at levels 0..3. preference: their sum.
    """

    slot: NDArray[np.int32]
    histogram: tuple[int, ...]
    preference: int


def cut(
    free: Windows, owner: int, duration: int, *, buffer: int = 0, earliest: int, latest_end: int
) -> Slots:
    """Cut the owner's free times into slots of `duration` ticks, `buffer` apart.

    The first slot of each free time begins with it. The owner's own row is all -1. ValueError: no
    such owner, duration < 1, buffer < 0.
    """
    if not 0 <= owner < free.people or duration < 1 or buffer < 0:
        raise ValueError("Give one of the people as owner, a duration >= 1 and a buffer >= 0.")
    among, step = np.arange(free.people) == owner, duration + buffer
    runs = lifts(free, duration, earliest=earliest, latest_end=latest_end, among=among, depth=1)
    bounds = zip(runs.first.tolist(), runs.stop.tolist(), strict=True)
    ticks = [tick for first, stop in bounds for tick in range(first, stop, step)]
    start = np.array(ticks, np.int64) + earliest
    both = preferences(free, start, duration).T
    both = np.minimum(both, both[owner])
    both[owner] = -1
    return Slots(start, both)


def pair_up(preferences: ArrayLike) -> Pairing:
    """Assign people to slots in the best way, one to one.

    preferences (n, m): -1..10, of person i in slot j, slots by time; -1 = cannot. Better means more
    people, then fewer *if need be*, then fewer *works*, then the larger preference sum, then the
    smaller sum of slot numbers. Deterministic. O(n^2 m). ValueError: other shapes or values.
    """
    wish = np.asarray(preferences)
    if wish.ndim != 2 or (wish.size and wish.dtype.kind not in "iu"):
        raise ValueError("Preferences are integers: a row for each person, a column for each slot.")
    if wish.size and not -1 <= wish.min() <= wish.max() <= BEST_PREFERENCE:
        raise ValueError(f"A preference is in 0..{BEST_PREFERENCE}, or -1 for cannot.")
    slot = np.full(len(wish), -1, np.int32)
    if wish.size:
        who, where = _solve(wish.astype(np.intp) + 1)
        can = wish[who, where] >= 0
        slot[who[can]] = where[can]
    reached = np.full(len(wish), -1)
    if wish.size:
        reached = np.where(slot >= 0, wish[np.arange(len(wish)), slot], -1)
    histogram = tuple(np.bincount(levels(reached), minlength=4).tolist())
    return Pairing(slot, histogram, int(reached[reached >= 0].sum()))


def matching(worth: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of pairs that are together worth most. -inf is no pair."""
    who, where = lapjvx(-worth, extend_cost=True, return_cost=False)
    return who, where


def _solve(place: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the best pairs. place: preference + 1."""
    stages = _stages(*place.shape)
    if len(stages) == 1:
        return matching(_worth(place, *stages[0]))
    # In a square matrix the best pairings are exactly the perfect ones among the tight pairs, so
    # each stage keeps to the tight pairs of the stage before.
    side = max(place.shape)
    allowed = np.ones((side, side), np.bool_)
    for table, scale in stages:
        worth = np.zeros((side, side))
        worth[: place.shape[0], : place.shape[1]] = _worth(place, table, scale)
        worth[~allowed] = -np.inf
        who, where = matching(worth)
        allowed &= _tight(-worth, where)
    real = (who < place.shape[0]) & (where < place.shape[1])
    return who[real], where[real]


def _stages(people: int, slots: int) -> list[tuple[Any, int]]:
    """Pack the criteria into few tables of exact weights.

    Each is (worth by preference + 1, factor); the factor is 0 if slot numbers are not in it.
    """
    # A criterion's sums have one sign, so two of them differ by no more than the pairs times its
    # largest worth.
    pairs, side = min(people, slots), max(people, slots)
    stages: list[tuple[Any, int]] = []
    table = np.zeros(len(_VALUES), object)
    for criterion in _CRITERIA:
        wider = table * (pairs * int(abs(criterion).max()) + 1) + criterion.astype(object)
        if side * int(abs(wider).max()) >= EXACT:
            stages.append((table, 0))
            wider = criterion.astype(object)
        table = wider
    factor = pairs * slots + 1
    if side * int(abs(table).max() * factor + slots) < EXACT:
        return [*stages, (table, factor)]
    return [*stages, (table, 0), (np.zeros(len(_VALUES), object), 1)]


def _worth(place: NDArray[np.intp], table: Any, factor: int) -> NDArray[np.float64]:
    worth: NDArray[np.float64] = (table * (factor or 1)).astype(np.float64)[place]
    if factor:
        worth -= np.arange(place.shape[1]) * (place > 0)
    return worth


def _tight(cost: NDArray[np.float64], where: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return the pairs that cheapest perfect matchings use, by complementary slackness.

    where: a cheapest matching. Its potentials are shortest paths in the residual graph
    (Bellman-Ford), which has no negative cycle.
    """
    extra = cost - cost[np.arange(len(cost)), where][:, None]
    potential = np.zeros(len(cost))
    while True:
        nearer = np.minimum(potential, (extra + potential[where][:, None]).min(axis=0))
        if (nearer == potential).all():
            tight: NDArray[np.bool_] = extra + potential[where][:, None] == potential
            return tight
        potential = nearer
