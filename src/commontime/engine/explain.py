"""Tell who can come when, and which starts nearly work."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .erosion import HIGH, KINDS, LOW, Lifts, lifts
from .profile import checked
from .rank import scores
from .sweep import is_dense, sweep
from .windows import Bools, Bytes, Ints, Windows, distinct, levels


def attendance(free: Windows, start: int, duration: int) -> Bytes:
    """Return each person's level for one meeting. (people,) int8, 0 = cannot."""
    return levels(preferences(free, [start], duration)[0])


def preferences(
    free: Windows, starts: ArrayLike, duration: int, *, among: Ints | None = None
) -> Bytes:
    """Return each person's preference for each start.

    (starts, people) int8: the smallest over the meeting; -1 = cannot. The starts may come in any
    order. With the `first` of a profile's segments it names the people behind the counts. among:
    only these people, each once, in this order. O(n log S + S people).
    """
    if duration < 1:
        raise ValueError("A meeting lasts at least one tick.")
    wanted = np.asarray(starts, np.int64).reshape(-1)
    people = free.people if among is None else len(among)
    if not len(wanted):
        return np.zeros((0, people), np.int8)
    ticks, place = np.unique(wanted, return_inverse=True)
    chosen, seat = None, np.arange(free.people)
    if among is not None:
        chosen = np.isin(seat, among)
        seat[among] = np.arange(people)
    rises = lifts(
        free, duration, earliest=int(ticks[0]), latest_end=int(ticks[-1]) + duration, among=chosen
    )
    who = seat[rises.who.astype(np.intp)]
    ticks -= ticks[0]
    change = np.zeros((len(ticks) + 1, people), np.int8)
    gain = (HIGH - LOW).astype(np.int8)[rises.kind]
    np.add.at(change.reshape(-1), np.searchsorted(ticks, rises.first) * people + who, gain)
    np.subtract.at(change.reshape(-1), np.searchsorted(ticks, rises.stop) * people + who, gain)
    np.cumsum(change, axis=0, dtype=np.int8, out=change)
    change -= 1
    return change[place]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Starts [first, last] that nearly work.

    They work without `missing`, or with `short` more person-ticks. missing: the required people who
    can't come, ascending. short: the ticks of the meeting that required people did not offer,
    summed over them.
    """

    first: int
    last: int
    missing: tuple[int, ...]
    short: int


def near_misses(
    free: Windows,
    duration: int,
    *,
    required: Bools | None = None,
    earliest: int,
    latest_end: int,
    k: int = 5,
) -> list[NearMiss]:
    """Return the k nearest misses in [earliest, latest_end), nearest first.

    Nearer means fewer required people missing, then fewer person-ticks short, then earlier. Each
    maximal range of starts with the same required people missing has one: its first starts that are
    least short. Starts that suit all of them are no misses. The first miss shows whom to ask. O(n
    log n). ValueError as profile.
    """
    must = checked(free, duration, required, earliest, latest_end)
    ticks, needed = latest_end - duration + 1 - earliest, int(must.sum())
    if ticks <= 0 or not needed:
        return []
    runs = lifts(free, 1, earliest=earliest, latest_end=latest_end, among=must, depth=1)
    possible = _starts_within(runs, duration)
    groups, present = _count(possible, ticks, must)
    pieces = _shortage(*_count(runs, latest_end - earliest, must), needed, groups, duration, ticks)
    head = np.searchsorted(pieces.first, groups)
    least = np.minimum.reduceat(np.minimum(pieces.at_first, pieces.at_last), head)
    misses = []
    for group in _nearest(present, least, needed, k):
        stop = int(head[group + 1]) if group + 1 < len(head) else None
        part = slice(int(head[group]), stop)
        first, last = _least_range(_Pieces(*(column[part] for column in pieces)))
        missing = must.copy()
        missing[possible.who[(possible.first <= first) & (possible.stop > first)]] = False
        who = tuple(np.flatnonzero(missing).tolist())
        misses.append(NearMiss(earliest + first, earliest + last, who, int(least[group])))
    return misses


def _starts_within(runs: Lifts, duration: int) -> Lifts:
    """Return the starts at which a meeting lies within a run."""
    long = np.flatnonzero(runs.stop - runs.first >= duration)
    stop = runs.stop[long] - (duration - 1)
    return Lifts(runs.who[long], runs.first[long], stop, runs.kind[long])


def _nearest(present: Ints, least: Ints, needed: int, k: int) -> list[int]:
    """Return the k groups of starts that nearly work, nearest first.

    present, least: how many people can come to each group's starts, and how short they are at
    least. Groups at which nobody is missing are left out.
    """
    misses = np.flatnonzero(present < needed)
    score = scores([present[misses], -least[misses]])
    nearest = []
    for _ in range(min(k, len(misses))):
        i = int(score.argmax())  # of equal scores, the first, which is the earliest
        score[i] = -1
        nearest.append(int(misses[i]))
    return nearest


class _Pieces(NamedTuple):
    """Consecutive ranges of starts; over each the person-ticks short are linear. All (S,) int64."""

    first: Ints
    last: Ints
    at_first: Ints
    at_last: Ints


def _count(intervals: Lifts, ticks: int, must: Bools) -> tuple[Ints, Ints]:
    """Return the bounds of the lifts, and the counts between them, (S,), (S,)."""
    at, sums = sweep(intervals, ticks, np.ones((1, KINDS), np.int64), must)
    return at, sums[0, 1]


def _shortage(
    tick: Ints, covered: Ints, needed: int, groups: Ints, duration: int, ticks: int
) -> _Pieces:
    """Return how many person-ticks each start is short, in linear pieces.

    No group begins within a piece. tick, covered: how many are free from each tick to the next.
    short(t) = U(t + duration) - U(t), where U sums up those who are not free.
    """
    uncovered = needed - covered
    if is_dense(ticks, len(tick)):
        per_tick = np.repeat(uncovered, np.diff(tick, append=ticks + duration - 1))
        total = np.concatenate(([0], np.cumsum(per_tick)))
        short, every = total[duration:] - total[:-duration], np.arange(ticks)
        return _Pieces(every, every, short, short)
    before = np.concatenate(([0], np.cumsum(uncovered[:-1] * np.diff(tick))))

    def sum_until(until: Ints) -> Ints:
        i = np.searchsorted(tick, until, side="right") - 1
        return before[i] + uncovered[i] * (until - tick[i])

    first = np.concatenate((groups, tick[tick < ticks], tick[tick >= duration] - duration))
    first = distinct(first)
    last = np.append(first[1:], ticks) - 1
    at_first, at_last = (sum_until(start + duration) - sum_until(start) for start in (first, last))
    return _Pieces(first, last, at_first, at_last)


def _least_range(pieces: _Pieces) -> tuple[int, int]:
    """Return the earliest range of starts that are least short."""
    i = int(np.minimum(pieces.at_first, pieces.at_last).argmin())
    least = pieces.at_first[i]
    if least > pieces.at_last[i]:
        return int(pieces.last[i]), int(pieces.last[i])
    last = first = int(pieces.first[i])
    for j in range(i, len(pieces.first)):
        if pieces.at_first[j] != least:
            break
        last = int(pieces.first[j])
        if pieces.at_last[j] != least:
            break
        last = int(pieces.last[j])
    return first, last
