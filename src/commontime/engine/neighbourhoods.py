"""Improve a joint placement by large neighbourhood search (Shaw, CP 1998, LNCS 1520).

It frees some meetings that are near each other, and lets the solver place them best. The other
meetings stay, so the programme is small, and solved in a fraction of a second. This finds
improvements that single moves don't, such as seven meetings moving so that an eighth has a place.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from .placing import Board, bits
from .programme import Programme
from .solver import count_ranges, maximise, phases, weights_of
from .windows import distinct

SMALLEST, LARGEST = 10, 120  # meetings at once
# Seconds: a neighbourhood that takes less makes the next larger; one that takes all, smaller.
QUICK, LONGEST = 0.15, 0.6


class Neighbourhoods:
    """Neighbourhoods of a placement, freed one after the other.

    model: the programme, which need not have all columns. numbers: its meetings' numbers on the
    board. near: the meetings that share people with each. size: how many meetings to free.
    """

    def __init__(
        self,
        board: Board,
        model: Programme,
        numbers: Sequence[int],
        movable: Sequence[int],
        near: dict[int, list[int]],
    ) -> None:
        self.board, self.model, self.numbers = board, model, numbers
        self.movable, self.near = movable, near
        self.random = default_rng(2)
        self.size, self.took = 30.0, 0.0

    def improve(self, until: float) -> None:
        """Free one neighbourhood and place it best, if there is time.

        The board is never worth less afterwards.
        """
        board, began = self.board, time.monotonic()
        if until - began < max(QUICK, self.took):
            return  # the solver is not punctual
        freed = self._pick()
        before, held = board.total, [board.place[number] for number in freed]
        board.set(freed, [-1] * len(freed))
        columns = self._solve(freed, min(until, began + LONGEST))
        if columns is not None:
            board.set(freed, columns)
        if columns is None or board.total < before:
            board.set(freed, held)
        self.took = time.monotonic() - began
        factor = 1.1 if self.took < QUICK else 0.7 if self.took > 0.9 * LONGEST else 1.0
        self.size = min(max(self.size * factor, SMALLEST), LARGEST)

    def _solve(self, freed: list[int], until: float) -> list[int] | None:
        """Return the freed meetings' columns in the solver's answer."""
        part = self._restricted(set(freed))
        if not len(part.gain):
            return None  # a programme without all columns may have none that is open
        low, high = count_ranges(part)
        counts = phases(low, high)[0]
        weights = weights_of([high[count] - low[count] + 1 for count in counts])
        solution, _ = maximise(part, part.gain[:, counts] @ weights, until, relaxed_first=True)
        if solution is None:
            return None
        columns = part.place(solution, len(self.numbers))
        column_of = dict(zip(self.numbers, columns, strict=True))
        return [column_of[number] for number in freed]

    def _pick(self) -> list[int]:
        """Choose meetings near each other, and all that have no place."""
        random, board, size = self.random, self.board, int(self.size)
        homeless = [number for number in self.movable if board.place[number] < 0]
        first = self.movable[int(random.integers(len(self.movable)))]
        if homeless and random.random() < 0.5:
            first = homeless[int(random.integers(len(homeless)))]
        near = self._near_in_time if random.random() < 0.5 else self._near_by_people
        return list(dict.fromkeys([first, *near(first, size)[:size], *homeless[:size]]))

    def _near_in_time(self, first: int, size: int) -> list[int]:
        """Return the placed meetings, those first that start near a meeting's start.

        A meeting without a place has a random start.
        """
        board, moment = self.board, self.board.begin[first]
        if board.place[first] < 0:
            starts = board.starts[first]
            moment = starts[int(self.random.integers(len(starts)))]
        placed = (number for number in self.movable if board.place[number] >= 0)
        return sorted(placed, key=lambda number: abs(board.begin[number] - moment))

    def _near_by_people(self, first: int, size: int) -> list[int]:
        """Return `size` meetings or more that share people, directly or not."""
        near = [first]
        for number in near:
            if len(near) >= size:
                break
            others = self.random.permutation(self.near[number]).tolist()
            near += [other for other in others if other not in near]
        return near

    def _restricted(self, freed: set[int]) -> Programme:
        """Return the programme in which only the freed meetings move."""
        board, model = self.board, self.model
        place = np.array([board.place[number] for number in self.numbers])
        kept = place[model.meeting] == model.column
        for index, number in enumerate(self.numbers):
            if number in freed:
                mine = np.flatnonzero(model.meeting == index)
                allowed = self._allowed(number)
                kept[mine] = allowed[model.seat[mine] + 1, model.column[mine]]
        part = model.only(np.flatnonzero(kept))
        homes = distinct(part.meeting)
        lower = part.lower.copy()
        lower[: len(homes)][place[homes] >= 0] = 1  # a meeting that has a place keeps it
        return replace(part, lower=lower)

    def _allowed(self, number: int) -> NDArray[np.bool_]:
        """Return the columns open to the meeting, and to each optional person."""
        board = self.board
        is_open = board.open(number)
        allowed = [is_open] + [
            is_open & ~board.near(number, board.hard[person])
            for person in board.meetings[number].optional
        ]
        return np.array([bits(mask, len(board.starts[number])) for mask in allowed], np.bool_)
