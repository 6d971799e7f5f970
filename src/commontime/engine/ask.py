"""Find the smallest ask that lets all required people come.

It is the fewest people, and the exact time wanted of each.
"""

from typing import NamedTuple

import numpy as np

from .erosion import Lifts, lifts
from .marks import Align, Marks, marks_of
from .profile import checked
from .rank import scores
from .room import Need, Room, inside, taken_by, turns
from .windows import Bools, Busy, Ints, Windows


def smallest_ask(
    free: Windows,
    duration: int,
    *,
    required: Bools | None = None,
    earliest: int,
    latest_end: int,
    align: Align | None = None,
    never: int | None = None,
    busy: Busy = (),
) -> Room | None:
    """Return the start that needs the fewest people to offer more time.

    Of several it needs the fewest person-ticks, and then it is the earliest. Nothing is wanted if a
    start suits all required people. never: a required person who can't be asked, such as the one
    who asks. busy: when people are elsewhere, and so can't be asked. align: as for `best`. None if
    no start is left. O(n log n). ValueError as profile.
    """
    must = checked(free, duration, required, earliest, latest_end)
    runs = lifts(free, 1, earliest=earliest, latest_end=latest_end, among=must, depth=1)
    taken = taken_by(busy, np.flatnonzero(must).tolist(), duration)
    starts = _turns(runs, duration, earliest, latest_end, marks_of(align), taken)
    if never is not None and must[never]:
        starts = starts[_shortage(_of(runs, never), 1, duration, starts).missing == 0]
    if not len(starts):
        return None
    missing, short = _shortage(runs, int(must.sum()), duration, starts)
    # Of equal scores argmax takes the first, which is the earliest start.
    start = int(starts[scores([-missing, -short]).argmax()]) + earliest
    return Room(start, _wanted(free, must, start, start + duration))


def least_short(
    free: Windows,
    duration: int,
    who: int,
    *,
    earliest: int,
    latest_end: int,
    align: Align | None = None,
    busy: Busy = (),
) -> int | None:
    """Return the fewest ticks that a person lacks for a meeting at any start.

    None if they are elsewhere (busy) at every start.
    """
    only = np.zeros(free.people, np.bool_)
    only[who] = True
    checked(free, duration, only, earliest, latest_end)
    runs = lifts(free, 1, earliest=earliest, latest_end=latest_end, among=only, depth=1)
    taken = taken_by(busy, [who], duration)
    starts = _turns(runs, duration, earliest, latest_end, marks_of(align), taken)
    return int(_shortage(runs, 1, duration, starts).short.min()) if len(starts) else None


def _wanted(free: Windows, must: Bools, start: int, end: int) -> tuple[Need, ...]:
    """Return the times in [start, end) that required people did not offer."""
    runs = lifts(free, 1, earliest=start, latest_end=end, among=must, depth=1)
    people = np.flatnonzero(must)
    edge = np.full(len(people), end - start)
    who = np.concatenate((people, runs.who, people))
    first, stop = (np.concatenate((edge * 0, column, edge)) for column in (runs.first, runs.stop))
    order = np.lexsort((first, who))  # stable, so each person's runs lie between their two edges
    who, begins, ends = who[order], stop[order][:-1] + start, first[order][1:] + start
    rows = np.flatnonzero((who[1:] == who[:-1]) & (ends > begins))
    return tuple(
        Need(*row)
        for row in zip(who[rows].tolist(), begins[rows].tolist(), ends[rows].tolist(), strict=True)
    )


class _Shortage(NamedTuple):
    missing: Ints
    short: Ints


def _of(runs: Lifts, who: int) -> Lifts:
    mine = np.flatnonzero(runs.who == who)
    return Lifts(runs.who[mine], runs.first[mine], runs.stop[mine], runs.kind[mine])


def _turns(
    runs: Lifts, duration: int, earliest: int, latest_end: int, align: Marks, taken: Ints
) -> Ints:
    """Return starts that are sure to hold the smallest ask. They count from `earliest`."""
    first, stop = runs.first.astype(np.int64), runs.stop.astype(np.int64)
    times = np.concatenate((first, stop, first - duration, stop - duration, stop - duration + 1))
    times = np.concatenate((times + earliest, taken[:, 0] + 1, taken[:, 1]))
    starts = turns(times, earliest, latest_end - duration, align)
    return starts[~inside(taken, starts)] - earliest


def _shortage(runs: Lifts, needed: int, duration: int, starts: Ints) -> _Shortage:
    """Count the people missing at each start, and their person-ticks short: (S,), (S,).

    needed: how many people the runs are of.
    """
    first, stop = runs.first.astype(np.int64), runs.stop.astype(np.int64)
    long = stop - first >= duration
    opens, closes = np.sort(first[long]), np.sort(stop[long] - duration)
    here = opens.searchsorted(starts, side="right") - closes.searchsorted(starts, side="left")
    first.sort()
    stop.sort()
    begun, ended = (np.concatenate(([0], np.cumsum(column))) for column in (first, stop))

    def offered_until(moment: Ints) -> Ints:
        opened, closed = first.searchsorted(moment), stop.searchsorted(moment)
        return np.asarray((opened - closed) * moment - begun[opened] + ended[closed])

    offered = offered_until(starts + duration) - offered_until(starts)
    return _Shortage(needed - here, needed * duration - offered)
