"""One-on-ones of one person with many: a first placement in slots cut beforehand, the best there is
in them.

Where everybody meets the same person for as long, the slots of that person's time are an assignment
problem (see assign.py), solved exactly in milliseconds; and cutting costs little. With free
placement, which the search and the solver then try, the problem is NP-hard (Simons and Sipser,
Operations Research 32, 1984).
"""

from collections.abc import Sequence

import numpy as np

from .assign import cut
from .meetings import Meeting
from .placing import Board
from .windows import Ints, Windows


def owner_of(meetings: Sequence[Meeting]) -> int | None:
    """Return the person whom each of the others meets alone, once, and for as long; None if it is
    not so.
    """
    first = meetings[0]
    common = set(first.required).intersection(*(meeting.required for meeting in meetings))
    people = {person for meeting in meetings for person in meeting.required}
    alike = all(
        (m.duration, m.buffer, m.priority, len(m.required), m.optional, m.pinned)
        == (first.duration, first.buffer, first.priority, 2, (), None)
        for m in meetings
    )
    return common.pop() if alike and len(common) == 1 and len(people) == len(meetings) + 1 else None


def pair_up_at_once(free: Windows, board: Board, numbers: Sequence[int], owner: int) -> None:
    """Give each of these one-on-ones its slot, if that is better than where they are: most of them,
    then by their worth to all.

    The slots are cut from the start of each of the owner's free times, or else one after the other
    from the first start that suits anybody.
    """
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]  # here, because it takes long to import

    meetings = [board.meetings[number] for number in numbers]
    first, length = meetings[0], board.apart[numbers[0]][numbers[0]]
    bounds = {
        "earliest": min(m.earliest for m in meetings),
        "latest_end": max(m.latest_end for m in meetings),
    }
    possible = np.unique(np.concatenate([board.options[number].start for number in numbers]))
    for slots in (
        cut(free, owner, first.duration, buffer=length - first.duration, **bounds).start,
        _in_a_row(possible, length),
    ):
        worth = np.zeros((len(numbers), len(slots)))
        column = np.full(worth.shape, -1)
        for row, number in enumerate(numbers):
            starts = board.options[number].start
            where = np.searchsorted(starts, slots).clip(max=len(starts) - 1)
            some = np.flatnonzero(starts[where] == slots)
            column[row, some] = where[some]
            worth[row, some] = board.score[number][where[some]]
        who, slot = linear_sum_assignment(worth, maximize=True)
        before, held = board.total, [board.place[number] for number in numbers]
        found = np.full(len(numbers), -1)
        found[who] = column[who, slot]
        board.set(numbers, found.tolist())
        if board.total <= before:
            board.set(numbers, held)


def _in_a_row(starts: Ints, length: int) -> Ints:
    """Return starts at least so far apart, each the first possible."""
    found: list[int] = []
    for start in starts.tolist():
        if not found or start >= found[-1] + length:
            found.append(start)
    return np.array(found, np.int64)
