"""Who can come when, and how near the starts at which somebody required cannot are to working."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .erosion import HIGH, KINDS, LOW, lifts
from .profile import checked
from .rank import top_rows
from .sweep import is_dense, sweep
from .windows import Bools, Bytes, Ints, Windows, levels


def attendance(free: Windows, start: int, duration: int) -> Bytes:
    """Return the level of each person for the meeting [start, start + duration), (people,) int8; 0 = cannot."""
    return levels(preferences(free, [start], duration)[0])


def preferences(free: Windows, starts: ArrayLike, duration: int) -> Bytes:
    """Return each person's preference, the smallest over the meeting, for each of many starts: (starts, people) int8; -1 = cannot.

    The starts may come in any order. With the `first` of a profile's segments it names the people behind the counts. O(n log S + S people).
    """
    if duration < 1:
        raise ValueError("A meeting lasts at least one tick.")
    wanted = np.asarray(starts, np.int64).reshape(-1)
    if not len(wanted):
        return np.zeros((0, free.people), np.int8)
    ticks, place = np.unique(wanted, return_inverse=True)
    rises = lifts(free, duration, earliest=int(ticks[0]), latest_end=int(ticks[-1]) + duration)
    ticks -= ticks[0]
    change = np.zeros((len(ticks) + 1, free.people), np.int8)
    gain = (HIGH - LOW).astype(np.int8)[rises.kind]
    np.add.at(change, (np.searchsorted(ticks, rises.first), rises.who), gain)
    np.subtract.at(change, (np.searchsorted(ticks, rises.stop), rises.who), gain)
    np.cumsum(change, axis=0, dtype=np.int8, out=change)
    change -= 1
    return change[place]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Starts [first, last] at which somebody required cannot: they work without `missing`, or with `short` more person-ticks.

    missing: who, ascending. short: the ticks of the meeting not offered by required people, summed over them.
    """

    first: int
    last: int
    missing: tuple[int, ...]
    short: int


def near_misses(
    free: Windows, duration: int, *, required: Bools | None = None, earliest: int, latest_end: int, k: int = 5
) -> list[NearMiss]:
    """Return the k nearest misses in [earliest, latest_end): fewest required people missing, then fewest person-ticks short, then earliest.

    There is one for each maximal range of starts with the same required people missing: its first starts that are least short. Starts
    that suit all of them are no misses. The first one tells whom to ask. O(n log n). ValueError as profile.
    """
    must = checked(free, duration, required, earliest, latest_end)
    end = latest_end - duration + 1
    needed = int(must.sum())
    if end <= earliest or not needed:
        return []
    groups, present = _count(free, duration, must, earliest, latest_end)
    at, begin, until = _shortage(free, duration, must, groups, earliest, latest_end)
    head = np.searchsorted(at, groups)
    least = np.minimum.reduceat(np.minimum(begin, until), head)
    misses = np.flatnonzero(present < needed)
    top = misses[top_rows([present[misses], -least[misses]], k)]
    who = preferences(free, groups[top], duration) < 0
    stop = np.append(head[1:], len(at))
    return [
        NearMiss(
            *_least_range(at, begin, until, int(head[g]), int(stop[g]), end), tuple(np.flatnonzero(who[i] & must).tolist()), int(least[g])
        )
        for i, g in enumerate(top.tolist())
    ]


def _count(free: Windows, duration: int, must: Bools, earliest: int, latest_end: int) -> tuple[Ints, Ints]:
    """Return the starts (S,) at which another set of required people can come, and how many can from each to the next."""
    rises = lifts(free, duration, earliest=earliest, latest_end=latest_end, among=must, depth=1)
    at, sums = sweep(rises, latest_end - duration + 1 - earliest, np.ones((1, KINDS), np.int64), must)
    return at + earliest, sums[0, 1]


def _shortage(free: Windows, duration: int, must: Bools, groups: Ints, earliest: int, latest_end: int) -> tuple[Ints, Ints, Ints]:
    """Return pieces of starts, cut at `groups` and wherever the person-ticks short bend: first start, short there, short at the last."""
    end = latest_end - duration + 1
    tick, covered = _count(free, 1, must, earliest, latest_end)
    uncovered = must.sum() - covered
    if is_dense(end - earliest, len(free)):
        before = np.concatenate(([0], np.cumsum(np.repeat(uncovered, np.diff(tick, append=latest_end)))))
        short = before[duration:] - before[:-duration]
        return np.arange(earliest, end), short, short
    before = np.concatenate(([0], np.cumsum(uncovered[:-1] * np.diff(tick))))

    def total(until: Ints) -> Ints:
        i = np.searchsorted(tick, until, side="right") - 1
        return before[i] + uncovered[i] * (until - tick[i])

    at = np.unique(np.concatenate((groups, tick[tick < end], tick[tick >= earliest + duration] - duration)))
    last = np.append(at[1:], end) - 1
    return at, total(at + duration) - total(at), total(last + duration) - total(last)


def _least_range(at: Ints, begin: Ints, until: Ints, head: int, stop: int, end: int) -> tuple[int, int]:
    """Return the first starts in a row, inclusive, that are least short among the pieces head..stop-1."""
    least = np.minimum(begin[head:stop], until[head:stop])
    i = head + int(least.argmin())
    final = int(at[i + 1] if i + 1 < len(at) else end) - 1
    if begin[i] > until[i]:
        return final, final
    first = last = int(at[i])
    for j in range(i, stop):
        if begin[j] != begin[i]:
            break
        last = int(at[j])
        if until[j] != begin[i]:
            break
        last = int(at[j + 1] if j + 1 < len(at) else end) - 1
    return first, last
