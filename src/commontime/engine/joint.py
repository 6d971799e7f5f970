"""Place several meetings at once, so that nobody is in two: the best plan, and a proof that it is, or how far it may be from the best.

A greedy rule and ruin-and-reinsert give a plan within moments (placing.py); an integer programme then proves it best or finds a better one
(milp.py). Meetings that share nobody, not even over others, are planned apart. All counts are added up again in whole numbers.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .columns import Columns, columns
from .meetings import Meeting, Plan, Value, Why, checked_meetings
from .milp import Solved, build, solve
from .placing import Board, Key, greedy, hardest_first, improve, settle
from .windows import Windows

ROUNDS = 200  # of ruin-and-reinsert before the solver is asked; a number, not a time, so that equal questions get equal answers
TOLD_EVERY = 0.5  # seconds


def plan(
    free: Windows,
    meetings: Sequence[Meeting],
    *,
    align: int | None = 15,
    seconds: float = 5.0,
    on_progress: Callable[[Plan], bool] | None = None,
) -> Plan:
    """Return the best joint plan: most priority placed, then most optional attendances, then fewest at *if need be*, then fewest at
    *works*, then the largest sum of preferences; each meeting then as early as costs nobody anything.

    align: only starts that are 0 modulo so many ticks; None: any (on the grid of all times that occur, which loses nothing). Pinned
    meetings come first, and their starts need no alignment. Stops after `seconds` with the best so far. on_progress is told of it about
    every half second; when it returns true the search stops. Equal questions have equal answers if proved. ValueError: a meeting that
    makes no sense.
    """
    asked = checked_meetings(meetings, free.people)
    options = columns(free, asked, align)
    search = _Search(free, asked, options, time.monotonic() + seconds, on_progress)
    fixed = search.pin()
    parts = components([n for n in range(len(asked)) if n not in fixed], asked)
    for part in sorted(parts, key=len):
        search.work_on(part)
    return search.plan()


def components(numbers: Sequence[int], meetings: Sequence[Meeting]) -> list[list[int]]:
    """Return the groups of meetings that share people, directly or over others."""
    root: dict[int, int] = {}

    def find(person: int) -> int:
        while root.setdefault(person, person) != person:
            root[person] = root[root[person]]
            person = root[person]
        return person

    for number in numbers:
        first, *others = (*meetings[number].required, *meetings[number].optional)
        for other in others:
            root[find(other)] = find(first)
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(find((*meetings[number].required, *meetings[number].optional)[0]), []).append(number)
    return list(groups.values())


@dataclass
class _Part:
    """Meetings planned apart: what is reached, what can't be exceeded."""

    numbers: list[int]
    bound: Key
    proved: bool = False


class _Search:
    def __init__(
        self, free: Windows, meetings: list[Meeting], options: list[Columns], until: float, on_progress: Callable[[Plan], bool] | None
    ) -> None:
        self.free, self.meetings, self.options, self.until, self.on_progress = free, meetings, options, until, on_progress
        self.board = Board(meetings, options, free.people)
        self.parts: list[_Part] = []
        self.fixed: list[int] = []
        self.told_at = time.monotonic()
        self.stopped = False

    def pin(self) -> list[int]:
        """Place the pinned meetings, in their order; one that clashes with another has no place."""
        for number, meeting in enumerate(self.meetings):
            if meeting.pinned is not None:
                self.fixed.append(number)
                column = self.board.best_place(number)
                if column >= 0:
                    self.board.put(number, column)
        return self.fixed

    def work_on(self, numbers: list[int]) -> None:
        """Plan one component; the others are left as they are."""
        numbers = self._narrow(numbers)
        ideal = tuple(np.sum([self.options[n].best for n in numbers], axis=0, dtype=np.int64).tolist()) if numbers else (0,) * 5
        part = _Part(numbers, ideal)
        self.parts.append(part)
        greedy(self.board, [n for n in hardest_first(self.board) if n in set(numbers)])
        worth = self._worth(numbers)
        if worth() < ideal:
            improve(self.board, numbers, rounds=ROUNDS, seed=1, go_on=lambda key: worth() < ideal and not self.is_over())
        if worth() == ideal:
            part.proved = True
        elif not self.is_over():
            self._prove(part)
        settle(self.board, numbers)

    def _narrow(self, numbers: list[int]) -> list[int]:
        """Drop the columns that a pinned meeting of somebody rules out."""
        for number in numbers:
            is_open = self.board.open(number)
            if not is_open.all():
                option = self.options[number]
                self.options[number] = Columns(option.start[is_open], option.optional[is_open], option.gain[is_open])
                self.board.at[number] = self.board.at[number][is_open]
                self.board.extra[number] = self.board.extra[number][is_open]
        return [number for number in numbers if len(self.options[number])]

    def _worth(self, numbers: list[int]) -> Callable[[], Key]:
        """Return what tells the value of these meetings alone."""

        def worth() -> Key:
            return _value(self.board, numbers).key

        return worth

    def _prove(self, part: _Part) -> None:
        """Ask the solver, and go on improving meanwhile."""
        numbers = part.numbers
        worth = self._worth(numbers)
        options = [self._open_to(n) for n in numbers]
        found: list[Solved] = []

        def run() -> None:
            model = build([self.meetings[n] for n in numbers], options, all_placed=all_placed)
            found.append(solve(model, floor=worth_now, seconds=self.until - time.monotonic()))

        worth_now = worth()
        all_placed = worth_now[0] == sum(self.meetings[n].priority for n in numbers)
        solver = threading.Thread(target=run, daemon=True)
        solver.start()
        seed = 2
        while solver.is_alive() and not self.is_over():
            improve(self.board, numbers, rounds=20, seed=seed, go_on=lambda key: solver.is_alive() and not self.is_over())
            seed += 1
        solver.join(max(0.0, min(0.2, self.until - time.monotonic())) if self.stopped else max(0.0, self.until - time.monotonic()) + 0.2)
        if not found:
            return
        (result,) = found
        part.bound = min(part.bound, result.bound)
        if result.place is not None:
            kept, before = list(self.board.place), worth()
            self._place(numbers, result.place)
            if worth() < before or (worth() == before and not result.proved):
                self._place(numbers, [kept[n] for n in numbers])
        part.proved = result.proved and worth() == result.bound
        part.bound = max(part.bound, worth())

    def _open_to(self, number: int) -> Columns:
        """Return the columns without attendances that a pinned meeting rules out."""
        option = self.options[number]
        optional = option.optional.copy()
        for seat, person in enumerate(self.meetings[number].optional):
            for other in self.fixed:
                column = self.board.place[other]
                if column >= 0 and person in self.meetings[other].required:
                    begin = int(self.options[other].start[column])
                    end = begin + self.meetings[other].length
                    clash = (option.start < end) & (option.start + self.meetings[number].length > begin)
                    optional[clash, seat] = -1
        return Columns(option.start, optional, option.gain)

    def _place(self, numbers: list[int], columns_of: Sequence[int]) -> None:
        for number in numbers:
            self.board.take(number)
        for number, column in zip(numbers, columns_of, strict=False):
            if column >= 0:
                self.board.put(number, column)

    def is_over(self) -> bool:
        now = time.monotonic()
        if self.on_progress and not self.stopped and now - self.told_at >= TOLD_EVERY:
            self.told_at = now
            self.stopped = bool(self.on_progress(self.plan()))
        return self.stopped or now >= self.until

    def plan(self) -> Plan:
        board = self.board
        attending = board.attends()
        start, attends = [], []
        for number, column in enumerate(board.place):
            start.append(int(self.options[number].start[column]) if column >= 0 else -1)
            attends.append(tuple(sorted([*self.meetings[number].required, *attending[number]])) if column >= 0 else ())
        value = board.value()
        rest = [n for n in range(len(self.meetings)) if n not in {m for part in self.parts for m in part.numbers}]
        bound = np.sum([part.bound for part in self.parts] + [_value(board, rest).key], axis=0, dtype=np.int64).tolist()
        done = {n for part in self.parts for n in part.numbers} | set(self.fixed)
        open_ = [n for n in range(len(self.meetings)) if n not in done and len(self.options[n])]
        for number in open_:
            bound = (np.array(bound) + self.options[number].best).tolist()
        top = max(tuple(bound), value.key)
        proved = not open_ and all(part.proved for part in self.parts)
        why = {n: _why(self, n) for n in range(len(self.meetings)) if start[n] < 0}
        limit = value if proved else Value(top[0], top[1], -top[2], -top[3], top[4])
        return Plan(tuple(start), tuple(attends), value, limit, proved, why)


def _value(board: Board, numbers: Sequence[int]) -> Value:
    """Return what these meetings are worth, with the attendances that are best for all."""
    total = np.zeros(5, np.int64)
    attends = board.attends()
    for number in numbers:
        column = board.place[number]
        if column < 0:
            continue
        total += board.options[number].gain[column]
        seats = board.optional[number].tolist()
        for person in attends[number]:
            total += board.extra[number][column, seats.index(person)]
    priority, optional, need, works, preference = total.tolist()
    return Value(priority, optional, -need, -works, preference)


def _why(search: _Search, number: int) -> Why:
    """Say what keeps a meeting from a place: people who have no common time, or meetings that took it."""
    board, meeting, option = search.board, search.meetings[number], search.options[number]
    if not len(option):
        return Why(meeting.required, ())
    rivals = [n for n, c in enumerate(board.place) if c >= 0 and n != number and set(meeting.required) & set(search.meetings[n].required)]
    clash = np.zeros((len(rivals), len(option)), np.bool_)
    for row, rival in enumerate(rivals):
        begin = int(search.options[rival].start[board.place[rival]])
        end = begin + search.meetings[rival].length
        clash[row] = (option.start < end) & (option.start + meeting.length > begin)
    nearest = int(clash.sum(axis=0).argmin()) if rivals else 0
    way = tuple(rival for row, rival in enumerate(rivals) if clash[row, nearest])
    people = {person for rival in way for person in set(meeting.required) & set(search.meetings[rival].required)}
    return Why(tuple(sorted(people)), way)
