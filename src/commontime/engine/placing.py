"""Heuristics for the joint problem: place the meetings greedily, then take some out and put them back better.

A placement is only the starts: given those, who of the optional people attends what is decided exactly (weighted interval scheduling, one
person at a time), so the search is over the few things that are hard.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np

from .columns import Columns, worth
from .meetings import Meeting, Value
from .windows import Bools, Ints

type Key = tuple[int, ...]
_KEPT_OUT = 4  # meetings taken out at once, at most, beside those that have no place


class Board:
    """Meetings on the grid of their columns, with everybody's hard times: those of meetings they are required for."""

    def __init__(self, meetings: Sequence[Meeting], options: Sequence[Columns], people: int) -> None:
        self.meetings, self.options = meetings, options
        self.place = [-1] * len(meetings)
        lows = [int(option.start[0]) for option in options if len(option)]
        highs = [int(option.start[-1]) + m.length for m, option in zip(meetings, options, strict=True) if len(option)]
        self.low = min(lows, default=0)
        times = [int(np.gcd.reduce(option.start - self.low)) for option in options if len(option)]
        self.unit = max(1, int(np.gcd.reduce([*times, *(m.length for m in meetings)]))) if meetings else 1
        width = (max(highs, default=0) - self.low) // self.unit + 2
        self.busy = np.zeros((people, width), np.int16)
        self.at = [(option.start - self.low) // self.unit for option in options]
        self.long = [m.length // self.unit for m in meetings]
        self.required = [np.array(m.required, np.intp) for m in meetings]
        self.optional = [np.array(m.optional, np.intp) for m in meetings]
        self.extra = [worth(option.optional, counts=True) for option in options]
        self.scale = _scales(meetings, options)

    def put(self, number: int, column: int) -> None:
        self._mark(number, column, 1)
        self.place[number] = column

    def take(self, number: int) -> None:
        if self.place[number] >= 0:
            self._mark(number, self.place[number], -1)
            self.place[number] = -1

    def _mark(self, number: int, column: int, by: int) -> None:
        first = int(self.at[number][column])
        self.busy[self.required[number], first : first + self.long[number]] += np.int16(by)

    def open(self, number: int) -> Bools:
        """Return at which of its columns none of the people it requires is taken, (C,)."""
        return self._free(self.busy[self.required[number]].any(axis=0), number)

    def _free(self, taken: Bools, number: int) -> Bools:
        total = np.concatenate(([0], np.cumsum(taken)))
        first = self.at[number]
        return np.asarray(total[first + self.long[number]] == total[first])

    def best_place(self, number: int, noise: Ints | None = None) -> int:
        """Return the best column that is open, counting the optional people who are not required elsewhere then; -1 if there is none."""
        is_open = np.flatnonzero(self.open(number))
        if not len(is_open):
            return -1
        gain = self.options[number].gain[is_open]
        for seat, person in enumerate(self.optional[number]):
            free = self._free(self.busy[person] > 0, number)[is_open]
            gain = gain + self.extra[number][is_open, seat] * free[:, None]
        score = gain.astype(np.float64) @ self.scale
        if noise is not None:
            score = score + noise[: len(score)] * self.scale[2]
        return int(is_open[score.argmax()])  # of equal scores, the first, which is the earliest

    def attends(self) -> list[list[int]]:
        """Return which optional people attend each meeting: for each of them the best choice among meetings they could go to."""
        wishes: dict[int, list[tuple[int, int, int, int]]] = {}
        for number, column in enumerate(self.place):
            if column < 0:
                continue
            first = int(self.at[number][column])
            until = first + self.long[number]
            for seat, person in enumerate(self.optional[number].tolist()):
                if self.options[number].optional[column, seat] >= 0 and not self.busy[person, first:until].any():
                    key = self.extra[number][column, seat]
                    wishes.setdefault(person, []).append((until, first, number, int(key @ _ATTENDANCE)))
        found: list[list[int]] = [[] for _ in self.place]
        for person, wanted in wishes.items():
            for number in _best_apart(wanted):
                found[number].append(person)
        return found

    def key(self) -> Key:
        """Return what the placement is worth, as Value.key."""
        return self.value().key

    def value(self) -> Value:
        total = np.zeros(5, np.int64)
        for number, people in enumerate(self.attends()):
            column = self.place[number]
            if column < 0:
                continue
            total += self.options[number].gain[column]
            seats = {person: seat for seat, person in enumerate(self.optional[number].tolist())}
            for person in people:
                total += self.extra[number][column, seats[person]]
        priority, optional, need, works, preference = total.tolist()
        return Value(priority, optional, -need, -works, preference)


# Weights that keep the order of Value.key for the attendances of one person: it has fewer than 2**10 of them at once.
_ATTENDANCE = np.array([0, 2**45, 2**30, 2**15, 1], np.int64)


def _scales(meetings: Sequence[Meeting], options: Sequence[Columns]) -> np.ndarray:
    """Return weights for choosing among one meeting's columns, as floats: exact while it has fewer than a few hundred people."""
    many = 1 + max((len(m.required) + len(m.optional) for m in meetings), default=0)
    weights = [1.0]
    for base in (10 * many + 1, many, many, many):
        weights.append(weights[-1] * base)
    return np.array(weights[::-1])


def _best_apart(wanted: list[tuple[int, int, int, int]]) -> list[int]:
    """Return the meetings of the heaviest choice among intervals (end, start, meeting, weight) that do not overlap. O(n log n).

    Weighted interval scheduling, Kleinberg and Tardos, Algorithm Design, 6.1.
    """
    if len(wanted) == 1:
        return [wanted[0][2]]
    wanted = sorted(wanted)
    ends = [end for end, *_ in wanted]
    best = [0]
    for _, start, _, weight in wanted:
        best.append(max(best[-1], best[bisect_right(ends, start, hi=len(best) - 1)] + weight))
    chosen, i = [], len(wanted)
    while i:
        _, start, number, weight = wanted[i - 1]
        before = bisect_right(ends, start, hi=i - 1)
        if best[before] + weight > best[i - 1]:
            chosen.append(number)
            i = before
        else:
            i -= 1
    return chosen


def greedy(board: Board, order: Sequence[int]) -> None:
    """Give each meeting in this order its best open place."""
    for number in order:
        column = board.best_place(number)
        if column >= 0:
            board.put(number, column)


def hardest_first(board: Board) -> list[int]:
    """Return the meetings, those with much priority for little choice first."""

    def choice(number: int) -> tuple[int, int, int]:
        meeting = board.meetings[number]
        return (-meeting.priority, len(board.options[number]) // max(1, len(meeting.required)), number)

    return sorted((n for n in range(len(board.meetings)) if len(board.options[n])), key=choice)


def improve(board: Board, movable: Sequence[int], *, rounds: int, seed: int, go_on: Callable[[Key], bool]) -> Key:
    """Ruin and reinsert (Schrimpf et al. 2000): take a few meetings out, put them back in another order, keep what is no worse.

    go_on is asked after each round with the best so far. Returns that; the board holds it.
    """
    random = np.random.default_rng(seed)
    best, kept = board.key(), list(board.place)
    near = _neighbours(board, movable)
    for _ in range(rounds):
        if not movable or not go_on(best):
            break
        out = _pick(board, movable, near, random)
        for number in out:
            board.take(number)
        noisy = random.random() < 0.5
        for number in random.permutation(out).tolist():
            noise = random.integers(0, 2, len(board.options[number])) if noisy else None
            column = board.best_place(number, noise)
            if column >= 0:
                board.put(number, column)
        now = board.key()
        if now >= best:
            best, kept = now, list(board.place)
        else:
            _restore(board, kept)
    return best


def _neighbours(board: Board, movable: Sequence[int]) -> dict[int, list[int]]:
    whose: dict[int, set[int]] = {}
    for number in movable:
        for person in (*board.meetings[number].required, *board.meetings[number].optional):
            whose.setdefault(person, set()).add(number)
    people = {n: {*board.meetings[n].required, *board.meetings[n].optional} for n in movable}
    return {n: sorted(set().union(*(whose[person] for person in people[n])) - {n}) for n in movable}


def _pick(board: Board, movable: Sequence[int], near: dict[int, list[int]], random: np.random.Generator) -> list[int]:
    homeless = [number for number in movable if board.place[number] < 0 and len(board.options[number])]
    seed = (
        homeless[int(random.integers(len(homeless)))] if homeless and random.random() < 0.7 else movable[int(random.integers(len(movable)))]
    )
    count = int(random.integers(1, _KEPT_OUT + 1))
    friends = near[seed]
    others = [friends[i] for i in random.permutation(len(friends))[:count]] if friends else []
    return list(dict.fromkeys([seed, *others, *homeless[:2]]))


def _restore(board: Board, kept: Sequence[int]) -> None:
    changed = [number for number, column in enumerate(kept) if board.place[number] != column]
    for number in changed:
        board.take(number)
    for number in changed:
        if kept[number] >= 0:
            board.put(number, kept[number])


def settle(board: Board, movable: Sequence[int]) -> None:
    """Move each meeting, the earliest first, to its earliest open start that is worth the same for everybody, if nothing is lost."""
    key = board.key()
    for number in sorted((n for n in movable if board.place[n] >= 0), key=lambda n: int(board.at[n][board.place[n]])):
        here, option = board.place[number], board.options[number]
        board.take(number)
        same = (option.gain[:here] == option.gain[here]).all(axis=1) & (option.optional[:here] == option.optional[here]).all(axis=1)
        for column in np.flatnonzero(same & board.open(number)[:here]).tolist():
            board.put(number, column)
            if board.key() == key:
                break
            board.take(number)
        else:
            board.put(number, here)
