"""A profile kept as the differences it is the sum of: when one person's times change, only what
they add is computed anew.

A group's profile is the sum of its people's, so one person's part can be taken out and another put
in. How many bounds lie at a tick is counted beside the differences: these cancel where one person
leaves as another comes, and a new segment begins there all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .erosion import Lifts, lifts
from .profile import Profile, checked, lanes, of_sums
from .windows import Bools, Ints, Windows, from_arrays


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """Whose `profile()` is always that of the windows as they are now.

    free: the windows it was opened with; since: what replaced those of a person. at (S + 1,): the
    ticks from `earliest` at which somebody's preference changes, the first of all and the end of
    all. bounds (S + 1,): how many lifts begin or end there. change (lanes, 2, S + 1): by how much
    that changes the sums, of those not required and of those required.
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
        """Return a ledger in which the person's windows are these rows (start, end, preference), in
        any order. This one stays as it is.

        O(w log S + S) for w windows of theirs, old and new. ValueError: there is no such person;
        otherwise it names the first bad row.
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
        # As if they were two people, so that one erosion serves both: 0, whose lifts go, and 1,
        # whose come.
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
        """Return the profile as it is now. O(S)."""
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

    def _with(
        self, some: Lifts, sign: NDArray[np.int32], row: Bools, since: Mapping[int, Windows]
    ) -> "Ledger":
        """Put lifts in where the sign is 1, take them out where it is -1. row (m,): whether those
        people are required.
        """
        at, bounds, change = self.at, self.bounds.copy(), self.change.copy()
        ticks = np.concatenate((some.first, some.stop)).astype(np.int64)
        place = at.searchsorted(ticks)
        new = at[place] != ticks
        if new.any():
            fresh = np.unique(ticks[new])
            index = at.searchsorted(fresh)
            at, bounds, change = (
                np.insert(at, index, fresh),
                np.insert(bounds, index, 0),
                np.insert(change, index, 0, axis=-1),
            )
            place = at.searchsorted(ticks)
        begins, ends = place.reshape(2, -1)
        np.add.at(bounds, begins, sign)
        np.add.at(bounds, ends, sign)
        begins, ends = begins + row * len(at), ends + row * len(at)
        for lane, weight in zip(change, lanes(self.free.people.bit_length()), strict=True):
            amount = sign * weight[some.kind.astype(np.intp)]
            np.add.at(lane.reshape(-1, copy=False), begins, amount)
            np.subtract.at(lane.reshape(-1, copy=False), ends, amount)
        if not bounds.all():
            kept = np.flatnonzero(bounds)
            at, bounds, change = at[kept], bounds[kept], change.take(kept, axis=-1)
        return replace(self, since=since, at=at, bounds=bounds, change=change)


def ledger(
    free: Windows, duration: int, *, required: Bools | None = None, earliest: int, latest_end: int
) -> Ledger:
    """Open the ledger of a meeting of `duration` ticks within [earliest, latest_end). Arguments and
    ValueError as profile. O(n log n).
    """
    must = checked(free, duration, required, earliest, latest_end)
    ends = np.unique([0, max(latest_end - duration + 1 - earliest, 0)])
    change = np.zeros((len(lanes(free.people.bit_length())), 2, len(ends)), np.int64)
    # The ends count as a bound that nobody takes away.
    empty = Ledger(
        free, {}, must, duration, earliest, latest_end, ends, np.ones(len(ends), np.int32), change
    )
    everything = empty._lifts(free)
    return empty._with(
        everything, np.ones(len(everything.who), np.int32), must[everything.who.astype(np.intp)], {}
    )
