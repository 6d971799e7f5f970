"""Place the one-on-ones of one person with many in slots cut beforehand.

If everybody meets the same person for the same time, the slots of that person's time are an
assignment problem (see assign.py), solved exactly in milliseconds; and cutting costs little. With
free placement, which the search and the solver try afterwards, the problem is NP-hard (Simons and
Sipser, Operations Research 32, 1984).
"""

from collections.abc import Sequence

import numpy as np

from .assign import cut, matching
from .meetings import Meeting
from .placing import Board
from .windows import Ints, Windows, distinct


def owner_of(meetings: Sequence[Meeting]) -> int | None:
    """Return the person whom all others meet alone, or None. They meet once, and equally long."""
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
    """Give each one-on-one its slot, if that is better.

    Better means more of them, then more worth to all. The slots are cut from the start of each of
    the owner's free times, or else one after the other from the first start that suits anybody.
    """
    meetings = [board.meetings[number] for number in numbers]
    first, length = meetings[0], board.apart[numbers[0]][numbers[0]]
    earliest = min(meeting.earliest for meeting in meetings)
    latest_end = max(meeting.latest_end for meeting in meetings)
    buffer = length - first.duration
    own = cut(free, owner, first.duration, buffer=buffer, earliest=earliest, latest_end=latest_end)
    possible = distinct(np.concatenate([board.options[number].start for number in numbers]))
    for slots in (own.start, _in_a_row(possible, length)):
        before, held = board.total, [board.place[number] for number in numbers]
        board.set(numbers, _assign(board, numbers, slots))
        if board.total <= before:
            board.set(numbers, held)


def _assign(board: Board, numbers: Sequence[int], slots: Ints) -> list[int]:
    """Return each meeting's column in the best assignment, or -1."""
    worth = np.zeros((len(numbers), len(slots)))
    column = np.full(worth.shape, -1)
    for row, number in enumerate(numbers):
        starts = board.options[number].start
        where = np.searchsorted(starts, slots).clip(max=len(starts) - 1)
        exact = np.flatnonzero(starts[where] == slots)
        column[row, exact] = where[exact]
        worth[row, exact] = board.score[number][where[exact]]
    who, slot = matching(worth)
    columns = np.full(len(numbers), -1)
    columns[who] = column[who, slot]
    return [int(number) for number in columns]


def _in_a_row(starts: Ints, length: int) -> Ints:
    """Return starts at least so far apart, each the first possible."""
    row: list[int] = []
    for start in starts.tolist():
        if not row or start >= row[-1] + length:
            row.append(start)
    return np.array(row, np.int64)
