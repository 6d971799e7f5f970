"""Improve a joint placement where it is hard: free some meetings that are near each other, and let
the solver place them best.

Large neighbourhood search (Shaw 1998): the other meetings stay, so what is left is a small
programme, solved in a fraction of a second. It finds what single moves don't: that seven meetings
each go elsewhere so that an eighth has a place.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .placing import Board, bits
from .programme import Programme
from .solver import maximise, phases, ranges, weights_of

SMALLEST, LARGEST = 10, 120  # meetings at once
QUICK, LONGEST = (
    0.15,
    0.6,
)  # seconds: a size is raised if it takes less, lowered if it takes all of these


class Neighbourhoods:
    """model: the programme, which need not have all columns. numbers: its meetings, as the board
    knows them.
    """

    def __init__(
        self,
        board: Board,
        model: Programme,
        numbers: Sequence[int],
        movable: Sequence[int],
        near: dict[int, list[int]],
    ) -> None:
        self.board, self.model, self.numbers, self.movable, self.near = (
            board,
            model,
            numbers,
            movable,
            near,
        )
        self.random = np.random.default_rng(2)
        self.size, self.took = 30.0, 0.0

    def improve(self, until: float) -> None:
        """Free one neighbourhood and place it best, if there is time for it. The board is never
        worth less afterwards.
        """
        board, began = self.board, time.monotonic()
        if until - began < max(QUICK, self.took):
            return  # the solver is not punctual
        freed = self._pick()
        before, held = board.total, [board.place[number] for number in freed]
        board.set(freed, [-1] * len(freed))
        part, found = self._restricted(set(freed)), None
        if len(part.gain):  # a programme without all columns may have none that is open
            low, high = ranges(part)
            counts = phases(low, high)[0]
            objective = part.gain[:, counts] @ weights_of(
                [high[count] - low[count] + 1 for count in counts]
            )
            found, _ = maximise(part, objective, min(until, began + LONGEST), relaxed_first=True)
        if found is not None:
            place = dict(zip(self.numbers, part.place(found, len(self.numbers)), strict=True))
            board.set(freed, [place[number] for number in freed])
        if found is None or board.total < before:
            board.set(freed, held)
        self.took = time.monotonic() - began
        factor = 1.1 if self.took < QUICK else 0.7 if self.took > 0.9 * LONGEST else 1.0
        self.size = min(max(self.size * factor, SMALLEST), LARGEST)

    def _pick(self) -> list[int]:
        """Choose meetings that are near each other, by their people or by their time, and all that
        have no place.
        """
        random, board, size = self.random, self.board, int(self.size)
        homeless = [number for number in self.movable if board.place[number] < 0]
        first = self.movable[int(random.integers(len(self.movable)))]
        if homeless and random.random() < 0.5:
            first = homeless[int(random.integers(len(homeless)))]
        if random.random() < 0.5:
            starts = board.starts[first]
            moment = (
                board.begin[first]
                if board.place[first] >= 0
                else starts[int(random.integers(len(starts)))]
            )
            some = sorted(
                (n for n in self.movable if board.place[n] >= 0),
                key=lambda n: abs(board.begin[n] - moment),
            )
        else:
            some = [first]
            for number in some:
                if len(some) >= size:
                    break
                some += [n for n in random.permutation(self.near[number]).tolist() if n not in some]
        return list(dict.fromkeys([first, *some[:size], *homeless[:size]]))

    def _restricted(self, freed: set[int]) -> Programme:
        """Return the programme with the other meetings where they are, and the freed ones only
        where those leave room.
        """
        board, model = self.board, self.model
        place = np.array([board.place[number] for number in self.numbers])
        kept = place[model.meeting] == model.column
        for index, number in enumerate(self.numbers):
            if number in freed:
                is_open = board.open(number)
                allowed = [is_open] + [
                    is_open & ~board.near(number, board.hard[person])
                    for person in board.meetings[number].optional
                ]
                mine = np.flatnonzero(model.meeting == index)
                table = np.array(
                    [bits(mask, len(board.starts[number])) for mask in allowed], np.bool_
                )
                kept[mine] = table[model.seat[mine] + 1, model.column[mine]]
        part = model.only(np.flatnonzero(kept))
        homes = np.unique(part.meeting)
        lower = part.lower.copy()
        lower[: len(homes)][place[homes] >= 0] = 1  # whatever has a place keeps it
        return replace(part, lower=lower)
