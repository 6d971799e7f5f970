"""Search for a good joint placement: greedily, then by ruin and reinsert."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import default_rng

from .placing import Board, bits

_TAKEN_OUT = 4  # meetings at once, at most, besides those that have no place


def greedy(board: Board, order: Sequence[int], go_on: Callable[[], bool]) -> None:
    """Give each meeting its best open place, in this order.

    Without time for that it gets the best place for the people it requires.
    """
    for number in order:
        column = board.best_place(number) if go_on() else board.first_place(number)
        if column >= 0:
            board.put(number, column)


def hardest_first(board: Board, numbers: Sequence[int]) -> list[int]:
    """Return the meetings, those with high priority and little choice first."""

    def choice(number: int) -> tuple[int, int, int]:
        meeting = board.meetings[number]
        return (
            -meeting.priority,
            len(board.options[number]) // max(1, len(meeting.required)),
            number,
        )

    return sorted(numbers, key=choice)


class Search:
    """Ruin and reinsert (Schrimpf et al., Journal of Computational Physics 159, 2000).

    Take a few meetings out, put them back in another order, keep the result if it is no worse.
    """

    def __init__(self, board: Board, movable: Sequence[int], *, seed: int) -> None:
        self.board, self.movable = board, movable
        self.random = default_rng(seed)
        people = {number: self._people_of(number) for number in sorted(movable)}
        self.near = {
            number: [other for other, theirs in people.items() if mine & theirs and other != number]
            for number, mine in people.items()
        }

    def _people_of(self, number: int) -> int:
        meeting = self.board.meetings[number]
        return sum(1 << person for person in (*meeting.required, *meeting.optional))

    def improve(self, rounds: int, go_on: Callable[[], bool]) -> None:
        """Search for some rounds, and leave the best placement on the board.

        go_on is asked before each round.
        """
        board = self.board
        best = now = board.total
        held = list(board.place)
        best_place = list(held)
        for _ in range(rounds):
            if not self.movable or not go_on():
                break
            out = self._pick()
            self._reinsert(out)
            if board.total >= now:
                now = board.total
                for number in out:
                    held[number] = board.place[number]
                if now > best:
                    best, best_place = now, list(held)
            else:
                board.set(out, [held[number] for number in out])
        board.set(self.movable, [best_place[number] for number in self.movable])

    def _reinsert(self, out: list[int]) -> None:
        """Take these meetings out, and put them back in random order.

        Half the time the choice is noisy.
        """
        board, random = self.board, self.random
        for number in out:
            board.take(number)
        noisy = random.random() < 0.5
        for number in random.permutation(out).tolist():
            noise = None
            if noisy:
                noise = random.integers(0, 2, len(board.starts[number])) * float(board.weights[2])
            column = board.best_place(number, noise)
            if column >= 0:
                board.put(number, column)

    def _pick(self) -> list[int]:
        """Choose a meeting, some near it, and two without a place."""
        random = self.random
        homeless = [number for number in self.movable if self.board.place[number] < 0]
        among = homeless if homeless and random.random() < 0.7 else self.movable
        first = among[int(random.integers(len(among)))]
        near = self.near[first]
        chosen = random.permutation(len(near))[: int(random.integers(1, _TAKEN_OUT + 1))]
        return list(dict.fromkeys([first, *(near[i] for i in chosen.tolist()), *homeless[:2]]))


def settle(board: Board, movable: Sequence[int], go_on: Callable[[], bool]) -> None:
    """Move meetings to earlier starts that are worth the same.

    They are worth the same to each person who attends. The earliest meeting moves first, and none
    moves to a start at which somebody who attends is in another meeting. It ends when none moves,
    or without time.
    """
    moved = True
    while moved:
        moved = False
        placed = (number for number in movable if board.place[number] >= 0)
        for number in sorted(placed, key=lambda number: board.begin[number]):
            if not go_on():
                return
            column = _earliest_as_good(board, number)
            if column >= 0:
                board.set([number], [column])
                moved = True


def _earliest_as_good(board: Board, number: int) -> int:
    """Return the earliest column that changes nothing for anybody, or -1.

    It lies before the meeting's own.
    """
    here, option, meeting = board.place[number], board.options[number], board.meetings[number]
    come = [person for person in meeting.optional if number in board.attended(person)]
    seats = [board.seat[number][person] for person in come]
    same = (option.gain[:here] == option.gain[here]).all(axis=1)
    same &= (option.optional[:here, seats] == option.optional[here, seats]).all(axis=1)
    attended = (board.attended(person) for person in (*meeting.required, *come))
    others = set().union(*attended) - {number}
    near = bits(board.near(number, others), len(option))[:here]
    earlier = np.flatnonzero(same & (near == 0))
    return int(earlier[0]) if len(earlier) else -1
