"""Plan meetings together, so that nobody is in two at once.

A greedy rule and ruin and reinsert give a plan within moments (placing.py, searching.py). An
integer programme then proves that it is the best, or finds a better one (programme.py, proof.py);
without a proof the plan has a bound. Meetings that share nobody, not even over others, are planned
apart. All counts are added up again in whole numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, columns
from .fitting import fit
from .marks import Align
from .meetings import Key, Meeting, Obstacle, Plan, Travel, Value, apart, checked_meetings
from .neighbourhoods import Neighbourhoods
from .placing import Board
from .programme import Programme, few_enough, programme
from .prover import Prover
from .searching import Search, greedy, hardest_first, settle
from .stars import owner_of, pair_up_at_once
from .windows import BEST_PREFERENCE, Busy, Ints, Windows

# Rounds of ruin and reinsert before the solver is asked; a number and not a time, so that equal
# questions get equal answers.
FIRST_ROUNDS = 30
FIRST = 0.2  # seconds that the greedy rule may take in any case, for a plan that is worth something
ALONE = 0.05  # the share of the time that the solver has alone before the search goes on beside it
REPORT_EVERY = 0.5  # seconds
CELLS_A_SECOND = 2**25  # people times starts: a third of what a slow machine looks at in a second
# Entries of the integer programme, beyond which it gets only some columns. With the solver's copies
# these take up to half a gigabyte, in a planner; a request has time for half of them.
MOST_ENTRIES = 2_000_000
ENTRIES_A_SECOND = 500_000  # more could be written down in that time, but not solved


def plan(
    free: Windows,
    meetings: Sequence[Meeting],
    *,
    align: Align | None = 15,
    seconds: float = 5.0,
    travel: Travel | None = None,
    busy: Busy = (),
    on_progress: Callable[[Plan], bool] | None = None,
) -> Plan:
    """Return the best joint plan.

    Better means more priority placed, then more optional attendances, then fewer at *if need be*,
    then fewer at *works*, then the larger sum of preferences; each meeting is then as early as
    costs nobody anything.

    align: only starts on these marks, or at multiples of so many ticks; None: any. Pinned meetings
    come first, and their starts need no alignment. travel: the ticks between the places of
    meetings. busy: when people are elsewhere, whatever they offered; a meeting and the buffer after
    it end before. The search stops after `seconds` with the best plan so far. on_progress gets it
    about every half second; when it returns true, the search stops. Equal questions have equal
    answers if proved in time. ValueError: a meeting or journeys that make no sense.
    TooManyStartsError: bounds too far apart.

    Problems too large for a programme (columns.py, programme.py) are bounded only by the worth of
    each meeting alone.
    """
    began = time.monotonic()
    meetings = checked_meetings(meetings, free.people, travel)
    gaps = apart(meetings, travel)
    options = columns(free, meetings, align, gaps, busy, cells=int(seconds * CELLS_A_SECOND))
    planner = _Planner(free, meetings, options, gaps, began, seconds, on_progress)
    planner.pin()
    for part in sorted(components(planner.possible, meetings), key=len):
        planner.work_on(part)
    return planner.plan()


def components(numbers: Sequence[int], meetings: Sequence[Meeting]) -> list[list[int]]:
    """Group the meetings that share people, directly or over others.

    Union-find with path halving (Tarjan and van Leeuwen, Journal of the ACM 31, 1984).
    """
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
        groups.setdefault(find(meetings[number].required[0]), []).append(number)
    return list(groups.values())


@dataclass
class _Part:
    """Meetings planned apart, and a bound on their worth."""

    numbers: list[int]
    bound: Key
    proved: bool = False


class _Planner:
    def __init__(
        self,
        free: Windows,
        meetings: list[Meeting],
        options: list[Columns],
        apart: list[list[int]],
        began: float,
        seconds: float,
        on_progress: Callable[[Plan], bool] | None,
    ) -> None:
        self.free, self.meetings, self.options, self.apart = free, meetings, options, apart
        self.on_progress = on_progress
        self.began = self.reported_at = began
        # The solver is not punctual, and in the end things are put in order.
        self.until, self.grace = began + 0.95 * seconds, 0.03 * seconds
        self.board = Board(meetings, options, apart, free.people)
        self.has_journeys = any(row != [row[0]] * len(row) for row in apart)
        self.parts: list[_Part] = []
        self.stopped = False
        self.possible = [number for number, option in enumerate(options) if len(option)]

    def pin(self) -> None:
        """Place the pinned meetings. One that clashes with an earlier one gets no place."""
        for number in list(self.possible):
            if self.meetings[number].pinned is not None:
                if self.board.open(number):
                    self.board.put(number, 0)
                else:
                    self.possible.remove(number)

    def work_on(self, numbers: list[int]) -> None:
        """Plan one component; the others are left as they are."""
        movable = [number for number in numbers if self.meetings[number].pinned is None]
        part = _Part(numbers, self._ideal(numbers))
        self.parts.append(part)
        self._place_first(numbers, movable)
        if self._is_open(part):
            search = Search(self.board, movable, seed=1)
            search.improve(FIRST_ROUNDS, lambda: not self.is_over())
            if self._fit_all(part, movable):
                search.improve(4 * FIRST_ROUNDS, lambda: not self.is_over())
            if self._is_open(part):
                self._prove(part, movable, search)
        part.proved = self._worth(numbers) == part.bound
        settle(self.board, movable, lambda: time.monotonic() < self.until + self.grace)

    def _place_first(self, numbers: list[int], movable: list[int]) -> None:
        """Place the meetings greedily, or one-on-ones by assignment, if that is better."""
        least = max(self.until, self.began + FIRST)
        order = hardest_first(self.board, movable)
        greedy(self.board, order, lambda: time.monotonic() < least)
        if len(movable) > 1 and not self.has_journeys:
            owner = owner_of([self.meetings[number] for number in numbers])
            if owner is not None:
                pair_up_at_once(self.free, self.board, movable, owner)

    def _is_open(self, part: _Part) -> bool:
        """Return whether a part may still become better in time."""
        return self._worth(part.numbers) < part.bound and not self.is_over()

    def _fit_all(self, part: _Part, movable: list[int]) -> bool:
        """Place all meetings if some have no place.

        Return whether they were moved. If they don't all fit, the bound says so.
        """
        if all(self.board.place[number] >= 0 for number in movable):
            return False
        columns = fit(self.board, movable, go_on=lambda: not self.is_over())
        if isinstance(columns, list):
            self.board.set(movable, columns)
            return True
        if columns is False and all(self.options[number].is_complete for number in movable):
            # These are all the starts, so one meeting less is placed. Nothing is known then of the
            # counts that grow with every meeting.
            meetings = [self.meetings[number] for number in part.numbers]
            seats = sum(len(meeting.required) + len(meeting.optional) for meeting in meetings)
            priority = part.bound[0] - min(self.meetings[number].priority for number in movable)
            part.bound = (priority, part.bound[1], 0, 0, BEST_PREFERENCE * seats)
        return False

    def _ideal(self, numbers: Sequence[int]) -> Key:
        """Return the worth of the meetings if each were alone."""
        best = np.array([self.options[number].best for number in numbers], np.int64)
        return tuple(best.reshape(-1, 5).sum(axis=0).tolist())

    def _worth(self, numbers: Sequence[int]) -> Key:
        return self.board.value(numbers).key

    def _prove(self, part: _Part, movable: list[int], search: Search) -> None:
        """Ask the solver, and search beside it if it takes long.

        The search's result counts only if the solver is not done. If the programme has not all
        columns, the solver's answer is one like the search's, its bound is none, and the search
        goes on.
        """
        pose, is_whole = self._programme_of(part)
        solver = Prover(pose, list(part.bound), self.until - self.grace)
        solver.start()
        self._search_beside(solver, part, movable, search, is_whole)
        if self.stopped:
            solver.stop()
        else:
            solver.join(max(0.0, self.until + self.grace - time.monotonic()))
        if is_whole:
            part.bound = min(part.bound, tuple(solver.bound))
        self._take(solver, part.numbers)
        part.bound = max(part.bound, self._worth(part.numbers))

    def _programme_of(
        self, part: _Part
    ) -> tuple[Callable[[], tuple[Programme, NDArray[np.bool_]]], bool]:
        """Return a function that writes a part's programme.

        It also returns the present placement, as a solution. The second result is whether the
        programme has all columns.
        """
        board, numbers = self.board, part.numbers
        start, attends = [board.place[number] for number in numbers], board.attends()
        meetings = [self.meetings[number] for number in numbers]
        options = [self.options[number] for number in numbers]
        gaps = [[self.apart[one][other] for other in numbers] for one in numbers]
        limit = min(MOST_ENTRIES, int(ENTRIES_A_SECOND * (self.until - time.monotonic())))
        kept = few_enough(meetings, options, gaps, start, limit)
        all_placed = min(start) >= 0
        placed = [all_placed or meeting.pinned is not None for meeting in meetings]

        def pose() -> tuple[Programme, NDArray[np.bool_]]:
            model = programme(meetings, options, gaps, placed=placed, kept=kept)
            return model, model.values_of(start, [attends[number] for number in numbers], meetings)

        return pose, kept is None and all(option.is_complete for option in options)

    def _search_beside(
        self, solver: Prover, part: _Part, movable: list[int], search: Search, is_whole: bool
    ) -> None:
        """Improve the placement until the solver is done.

        It also ends when the bound is reached or time is over.
        """
        neighbourhoods: Neighbourhoods | None = None
        is_taken = False
        alone_until = time.monotonic() + ALONE * (self.until - time.monotonic())
        while (solver.is_alive() or (movable and not is_whole)) and not self.is_over():
            if is_whole:
                part.bound = min(part.bound, tuple(solver.bound))
            elif self._worth(part.numbers) == part.bound:
                break
            if not solver.is_alive() and not is_taken:
                self._take(solver, part.numbers)
                is_taken = True
            if solver.is_alive() and (time.monotonic() < alone_until or not movable):
                solver.join(0.02)
                continue
            search.improve(20, lambda: (solver.is_alive() or not is_whole) and not self.is_over())
            if neighbourhoods is None and solver.model is not None:
                neighbourhoods = Neighbourhoods(
                    self.board, solver.model, part.numbers, movable, search.near
                )
            if neighbourhoods is not None:
                neighbourhoods.improve(self.until)

    def _take(self, solver: Prover, numbers: list[int]) -> None:
        """Take the solver's placement, if it is better, or proved and as good."""
        board, columns = self.board, solver.place(len(numbers))
        if columns is not None:
            before, held = board.total, [board.place[number] for number in numbers]
            board.set(numbers, columns)
            if board.total < before or (board.total == before and not solver.is_done):
                board.set(numbers, held)

    def is_over(self) -> bool:
        """Return whether the search must end; report progress when it is due."""
        now = time.monotonic()
        if self.on_progress and not self.stopped and now - self.reported_at >= REPORT_EVERY:
            self.reported_at = now
            self.stopped = bool(self.on_progress(self.plan()))
        return self.stopped or now >= self.until

    def plan(self) -> Plan:
        """Return the plan so far."""
        board = self.board
        attending, value = board.attends(), board.value()
        start, attends = [], []
        for number, column in enumerate(board.place):
            is_placed = column >= 0
            people = (*self.meetings[number].required, *attending[number])
            start.append(board.begin[number] if is_placed else -1)
            attends.append(tuple(sorted(people)) if is_placed else ())
        why = {number: self._why(number) for number, column in enumerate(board.place) if column < 0}
        bound, proved = self._bound(value)
        return Plan(tuple(start), tuple(attends), value, bound, proved, why)

    def _bound(self, value: Value) -> tuple[Value, bool]:
        """Return a bound on all plans, and whether this value is proved."""
        begun = {number for part in self.parts for number in part.numbers}
        rest = [number for number in self.possible if number not in begun]
        if not rest and all(part.proved for part in self.parts):
            return value, True
        bounds = [part.bound for part in self.parts] + [self._ideal(rest)]
        bound = np.sum(bounds, axis=0, dtype=np.int64)
        return Value.from_key(max(tuple(bound.tolist()), value.key)), False

    def _why(self, number: int) -> Obstacle:
        """Return the reason why a meeting has no place."""
        board, needed = self.board, set(self.meetings[number].required)
        if not board.starts[number]:
            return Obstacle(self.meetings[number].required, ())
        rivals = [rival for rival in board.rivals(number) if board.place[rival] >= 0]
        low, high = self._blocked(number, rivals)
        size = len(board.starts[number]) + 1
        count = np.bincount(low, minlength=size) - np.bincount(high, minlength=size)
        nearest = int(count.cumsum()[:-1].argmin())
        way = tuple(
            rival
            for rival, first, stop in zip(rivals, low.tolist(), high.tolist(), strict=True)
            if first <= nearest < stop
        )
        people = {person for rival in way for person in needed & set(self.meetings[rival].required)}
        return Obstacle(tuple(sorted(people)), way)

    def _blocked(self, number: int, rivals: list[int]) -> tuple[Ints, Ints]:
        """Return the columns that each rival blocks, as ranges from low to high."""
        starts = self.options[number].start
        begin = np.array([self.board.begin[rival] for rival in rivals], np.int64)
        before = np.array([self.apart[number][rival] for rival in rivals], np.int64)
        after = np.array([self.apart[rival][number] for rival in rivals], np.int64)
        low = starts.searchsorted(begin - before, side="right")
        return low, np.maximum(low, starts.searchsorted(begin + after))
