"""Heuristics for the joint problem: place the meetings greedily, then take some out and put them
back better.
"""

from collections.abc import Callable, Sequence

import numpy as np

from .placing import Board, bits

_TAKEN_OUT = 4  # meetings at once, at most, beside those that have no place


def greedy(board: Board, order: Sequence[int], go_on: Callable[[], bool]) -> None:
    """Give each meeting in this order its best open place; without time for that, the best for the
    people it requires.
    """
    for number in order:
        column = board.best_place(number) if go_on() else board.first_place(number)
        if column >= 0:
            board.put(number, column)


def hardest_first(board: Board, numbers: Sequence[int]) -> list[int]:
    """Return the meetings, those with much priority for little choice first."""

    def choice(number: int) -> tuple[int, int, int]:
        meeting = board.meetings[number]
        return (
            -meeting.priority,
            len(board.options[number]) // max(1, len(meeting.required)),
            number,
        )

    return sorted(numbers, key=choice)


class Search:
    """Ruin and reinsert (Schrimpf et al. 2000): take a few meetings out, put them back in another
    order, keep what is no worse.
    """

    def __init__(self, board: Board, movable: Sequence[int], *, seed: int) -> None:
        self.board, self.movable = board, movable
        self.random = np.random.default_rng(seed)
        everybody = {
            n: sum(
                1 << person for person in (*board.meetings[n].required, *board.meetings[n].optional)
            )
            for n in sorted(movable)
        }
        self.near = {
            n: [other for other, who in everybody.items() if mine & who and other != n]
            for n, mine in everybody.items()
        }

    def improve(self, rounds: int, go_on: Callable[[], bool]) -> None:
        """go_on is asked after each round. The board holds the best in the end."""
        board, random = self.board, self.random
        best = now = board.total
        held = list(board.place)
        kept = list(held)
        for _ in range(rounds):
            if not self.movable or not go_on():
                break
            out = self._pick()
            for number in out:
                board.take(number)
            noisy = random.random() < 0.5
            for number in random.permutation(out).tolist():
                noise = (
                    random.integers(0, 2, len(board.starts[number])) * float(board.weights[2])
                    if noisy
                    else None
                )
                column = board.best_place(number, noise)
                if column >= 0:
                    board.put(number, column)
            if board.total >= now:
                now = board.total
                for number in out:
                    held[number] = board.place[number]
                if now > best:
                    best, kept = now, list(held)
            else:
                board.set(out, [held[number] for number in out])
        board.set(self.movable, [kept[number] for number in self.movable])

    def _pick(self) -> list[int]:
        random = self.random
        homeless = [number for number in self.movable if self.board.place[number] < 0]
        among = homeless if homeless and random.random() < 0.7 else self.movable
        first = among[int(random.integers(len(among)))]
        friends = self.near[first]
        some = random.permutation(len(friends))[: int(random.integers(1, _TAKEN_OUT + 1))]
        return list(dict.fromkeys([first, *(friends[i] for i in some.tolist()), *homeless[:2]]))


def settle(board: Board, movable: Sequence[int], go_on: Callable[[], bool]) -> None:
    """Move each meeting, the earliest first, to its earliest open start that is worth the same for
    all who attend it, and at which none of them is in another one; until none moves, or there is no
    time left.
    """
    moved = True
    while moved:
        moved = False
        for number in sorted(
            (n for n in movable if board.place[n] >= 0), key=lambda n: board.begin[n]
        ):
            if not go_on():
                return
            here, option, meeting = (
                board.place[number],
                board.options[number],
                board.meetings[number],
            )
            come = [person for person in meeting.optional if number in board.attended(person)]
            seats = [board.seat[number][person] for person in come]
            same = (option.gain[:here] == option.gain[here]).all(axis=1)
            same &= (option.optional[:here, seats] == option.optional[here, seats]).all(axis=1)
            others = {
                other for person in (*meeting.required, *come) for other in board.attended(person)
            } - {number}
            earlier = np.flatnonzero(
                same & (bits(board.near(number, others), len(option))[:here] == 0)
            )
            if len(earlier):
                board.set([number], [int(earlier[0])])
                moved = True
