"""Update a profile when one person's times change.

A group's profile is the sum of its people's, so one person's part can be taken out and another put
in. The ledger keeps the differences that add up to the profile. It also counts the bounds at each
tick, because differences cancel where one person leaves as another comes, and a new segment begins
there all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .erosion import Lifts, lifts
from .profile import Profile, checked, lanes, of_sums
from .windows import Bools, Ints, Windows, distinct, from_arrays


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The differences that add up to a group's profile.

    free: the windows it was opened with; since: the windows that replaced a person's. at (S + 1,):
    the ticks from `earliest` at which somebody's preference changes, the first of all and the end
    of all. bounds (S + 1,): how many lifts begin or end there. change (lanes, 2, S + 1): by how
    much that changes the sums, of those not required and of those required.
    """

    free: Windows
    since: Mapping[int, Windows]
    required: Bools
    duration: int
    earliest: int
    latest_end: int
    at: Ints
    bounds: NDArray[np.int32]
    change: Ints

    def replace(self, who: int, rows: ArrayLike) -> "Ledger":
        """Return a ledger with other windows (start, end, preference) of a person.

        The rows come in any order, and this ledger stays as it is. O(w log S + S) for w windows of
        theirs, old and new. ValueError: there is no such person; otherwise it names the first bad
        row.
        """
        if not 0 <= who < self.free.people:
            raise ValueError(f"who={who} is not one of {self.free.people} people.")
        table = np.array(rows)
        if table.size and table.shape[1:] != (3,):
            raise ValueError("Each row is three integers (start, end, preference).")
        new = from_arrays(
            np.full(len(table), who), *table.reshape(-1, 3).T, people=self.free.people
        )
        old = self._windows_of(who)
        # Two people, so that one erosion serves both: the lifts of 0 go, those of 1 come.
        twice = np.repeat(np.arange(2, dtype=np.int32), (len(old), len(new)))
        start, end = np.concatenate((old.start, new.start)), np.concatenate((old.end, new.end))
        both = self._lifts(
            Windows(2, twice, start, end, np.concatenate((old.preference, new.preference)))
        )
        return self._with(
            both,
            2 * both.who - 1,
            np.full(len(both.who), self.required[who]),
            {**self.since, who: new},
        )

    def profile(self) -> Profile:
        """Return the present profile. O(S)."""
        ticks = self.latest_end - self.duration + 1 - self.earliest
        sums = np.cumsum(self.change[:, :, :-1], axis=-1)
        return of_sums(self.at[:-1], sums, self.required, self.duration, self.earliest, ticks)

    def _windows_of(self, who: int) -> Windows:
        if who in self.since:
            return self.since[who]
        free = self.free
        rows = slice(*free.who.searchsorted(np.array([who, who + 1], np.int32)).tolist())
        return Windows(
            free.people, free.who[rows], free.start[rows], free.end[rows], free.preference[rows]
        )

    def _lifts(self, free: Windows) -> Lifts:
        return lifts(
            free,
            self.duration,
            earliest=self.earliest,
            latest_end=max(self.earliest, self.latest_end),
        )

    def _with_ticks(self, ticks: Ints) -> "Ledger":
        """Return a copy to write to, with these ticks among its bounds."""
        at, bounds, change = self.at, self.bounds, self.change
        new = at[at.searchsorted(ticks)] != ticks
        if not new.any():
            return replace(self, bounds=bounds.copy(), change=change.copy())
        fresh = distinct(ticks[new])
        place = at.searchsorted(fresh)
        return replace(
            self,
            at=np.insert(at, place, fresh),
            bounds=np.insert(bounds, place, 0),
            change=np.insert(change, place, 0, axis=-1),
        )

    def _with(
        self, delta: Lifts, sign: NDArray[np.int32], row: Bools, since: Mapping[int, Windows]
    ) -> "Ledger":
        """Add the lifts with sign 1, remove those with sign -1.

        row (m,): whether those people are required.
        """
        ticks = np.concatenate((delta.first, delta.stop)).astype(np.int64)
        wider = self._with_ticks(ticks)
        at, bounds, change = wider.at, wider.bounds, wider.change
        begins, ends = at.searchsorted(ticks).reshape(2, -1)
        np.add.at(bounds, begins, sign)
        np.add.at(bounds, ends, sign)
        begins, ends = begins + row * len(at), ends + row * len(at)
        for lane, weight in zip(change, lanes(self.free.people.bit_length()), strict=True):
            amount = sign * weight[delta.kind.astype(np.intp)]
            np.add.at(lane.reshape(-1, copy=False), begins, amount)
            np.subtract.at(lane.reshape(-1, copy=False), ends, amount)
        if not bounds.all():
            kept = np.flatnonzero(bounds)
            at, bounds, change = at[kept], bounds[kept], change.take(kept, axis=-1)
        return replace(self, since=since, at=at, bounds=bounds, change=change)


def ledger(
    free: Windows, duration: int, *, required: Bools | None = None, earliest: int, latest_end: int
) -> Ledger:
    """Open the ledger of a meeting of `duration` ticks within [earliest, latest_end).

    Arguments and ValueError as profile. O(n log n).
    """
    must = checked(free, duration, required, earliest, latest_end)
    ends = distinct(np.array([0, max(latest_end - duration + 1 - earliest, 0)]))
    change = np.zeros((len(lanes(free.people.bit_length())), 2, len(ends)), np.int64)
    # The ends count as a bound that nobody takes away.
    empty = Ledger(
        free, {}, must, duration, earliest, latest_end, ends, np.ones(len(ends), np.int32), change
    )
    everything = empty._lifts(free)
    return empty._with(
        everything, np.ones(len(everything.who), np.int32), must[everything.who.astype(np.intp)], {}
    )
