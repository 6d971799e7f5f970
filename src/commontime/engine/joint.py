"""Place several meetings at once, so that nobody is in two: the best plan, and a proof that it is,
or how far it may be from the best.

A greedy rule and ruin-and-reinsert give a plan within moments (placing.py, searching.py); an
integer programme then proves it best or finds a better one (programme.py, proof.py). Meetings that
share nobody, not even over others, are planned apart. All counts are added up again in whole
numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, columns
from .fitting import fit
from .marks import Align
from .meetings import Key, Meeting, Plan, Travel, Value, Why, apart, checked_meetings
from .neighbourhoods import Neighbourhoods
from .placing import Board
from .programme import Programme, few_enough, programme
from .prover import Prover
from .searching import Search, greedy, hardest_first, settle
from .stars import owner_of, pair_up_at_once
from .windows import BEST_PREFERENCE, Busy, Windows

# of ruin-and-reinsert before the solver is asked; a number, not a time, so that equal questions get
# equal answers
FIRST_ROUNDS = 30
FIRST = 0.2  # seconds that the greedy rule may take in any case, for a plan that is worth something
ALONE = 0.05  # of the time: so long the solver is on its own before the search goes on beside it
TOLD_EVERY = 0.5  # seconds
CELLS_A_SECOND = 2**25  # of the columns: a third of what a slow machine looks at in that time
# Of the integer programme, as programme.entries counts them: beyond it, it has not all columns.
# with the solver's copies up to half a gigabyte, in a planner; a request has time for half of it
MOST_ENTRIES = 2_000_000
ENTRIES_A_SECOND = (
    500_000  # more than these in the time there is could be written down, but not solved
)


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
    """Return the best joint plan: most priority placed, then most optional attendances, then fewest
    at *if need be*, then fewest at
    *works*, then the largest sum of preferences; each meeting then as early as costs nobody
    anything.

    align: only starts on these marks, or that are 0 modulo so many ticks; None: any. Pinned
    meetings come first, and their starts need no alignment. travel: so long is the way between the
    places of any two meetings of one person. busy: when people are elsewhere, whatever they
    offered; a meeting and the buffer after it end before. Stops after `seconds` with the best so
    far. on_progress is told of it about every half second; when it returns true the search stops.
    Equal questions have equal answers if proved in time. ValueError: a meeting or journeys that
    make no sense. TooManyStartsError: bounds too far apart.

    Of what is too large to be written as a programme (columns.py, programme.py) nothing is proved
    beyond what each meeting is worth alone.
    """
    began = time.monotonic()
    asked = checked_meetings(meetings, free.people, travel)
    gaps = apart(asked, travel)
    options = columns(free, asked, align, gaps, busy, cells=int(seconds * CELLS_A_SECOND))
    planner = _Planner(free, asked, options, gaps, began, seconds, on_progress)
    planner.pin()
    for part in sorted(components(planner.possible, asked), key=len):
        planner.work_on(part)
    return planner.plan()


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
        groups.setdefault(
            find((*meetings[number].required, *meetings[number].optional)[0]), []
        ).append(number)
    return list(groups.values())


@dataclass
class _Part:
    """Meetings planned apart, and what they can't be worth more than."""

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
        self.meetings, self.options, self.apart, self.on_progress = (
            meetings,
            options,
            apart,
            on_progress,
        )
        # The solver is not punctual, and in the end things are put in order.
        self.began, self.told_at, self.until, self.grace = (
            began,
            began,
            began + 0.95 * seconds,
            0.03 * seconds,
        )
        self.free, self.board = free, Board(meetings, options, apart, free.people)
        self.has_journeys = any(row != [row[0]] * len(row) for row in apart)
        self.parts: list[_Part] = []
        self.stopped = False
        self.possible = [number for number, option in enumerate(options) if len(option)]

    def pin(self) -> None:
        """Place the pinned meetings, in their order; one that clashes with another has no place."""
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
        greedy(
            self.board,
            hardest_first(self.board, movable),
            lambda: time.monotonic() < max(self.until, self.began + FIRST),
        )
        owner = (
            owner_of([self.meetings[number] for number in numbers])
            if len(movable) > 1 and not self.has_journeys
            else None
        )
        if owner is not None:
            pair_up_at_once(self.free, self.board, movable, owner)
        if self._worth(numbers) < part.bound and not self.is_over():
            search = Search(self.board, movable, seed=1)
            search.improve(FIRST_ROUNDS, lambda: not self.is_over())
            if self._fit_all(part, movable):
                search.improve(4 * FIRST_ROUNDS, lambda: not self.is_over())
            if self._worth(numbers) < part.bound and not self.is_over():
                self._prove(part, movable, search)
        part.proved = self._worth(numbers) == part.bound
        settle(self.board, movable, lambda: time.monotonic() < self.until + self.grace)

    def _fit_all(self, part: _Part, movable: list[int]) -> bool:
        """If some meeting has no place: find one for all of them, or that there is none. Return
        whether they were moved.
        """
        homeless = [number for number in movable if self.board.place[number] < 0]
        found = fit(self.board, movable, go_on=lambda: not self.is_over()) if homeless else None
        if isinstance(found, list):
            self.board.set(movable, found)
        elif found is False and all(self.options[number].is_complete for number in movable):
            # These are all the starts, so one less is placed; then nothing is known of the counts
            # that grow with every meeting.
            some = [self.meetings[number] for number in part.numbers]
            most = BEST_PREFERENCE * sum(
                len(meeting.required) + len(meeting.optional) for meeting in some
            )
            part.bound = (
                part.bound[0] - min(self.meetings[number].priority for number in movable),
                part.bound[1],
                0,
                0,
                most,
            )
        return isinstance(found, list)

    def _ideal(self, numbers: Sequence[int]) -> Key:
        """Return what the meetings were worth if each stood alone."""
        best = np.array([self.options[number].best for number in numbers], np.int64)
        return tuple(best.reshape(-1, 5).sum(axis=0).tolist())

    def _worth(self, numbers: Sequence[int]) -> Key:
        return self.board.value(numbers).key

    def _prove(self, part: _Part, movable: list[int], search: Search) -> None:
        """Ask the solver, and go on searching if it takes long. What the search finds then counts
        only if the solver is not done.

        If the programme has not all columns, the solver's answer is one like the search's, its
        bound is none, and the search goes on.
        """
        board, numbers = self.board, part.numbers
        start, attends = [board.place[number] for number in numbers], board.attends()
        meetings, options = (
            [self.meetings[number] for number in numbers],
            [self.options[number] for number in numbers],
        )
        gaps = [[self.apart[one][other] for other in numbers] for one in numbers]
        most = min(MOST_ENTRIES, int(ENTRIES_A_SECOND * (self.until - time.monotonic())))
        kept = few_enough(meetings, options, gaps, start, most)
        is_whole = kept is None and all(option.is_complete for option in options)
        all_placed = min(start) >= 0

        def pose() -> tuple[Programme, NDArray[np.bool_]]:
            model = programme(
                meetings,
                options,
                gaps,
                placed=[all_placed or meeting.pinned is not None for meeting in meetings],
                kept=kept,
            )
            return model, model.values_of(start, [attends[number] for number in numbers], meetings)

        solver = Prover(pose, list(part.bound), self.until - self.grace)
        solver.start()
        neighbourhoods: Neighbourhoods | None = None
        is_taken = False
        alone_until = time.monotonic() + ALONE * (self.until - time.monotonic())
        while (solver.is_alive() or (movable and not is_whole)) and not self.is_over():
            if is_whole:
                part.bound = min(part.bound, tuple(solver.bound))
            elif self._worth(numbers) == part.bound:
                break
            if not solver.is_alive() and not is_taken:
                is_taken = self._take(solver, numbers)
            if solver.is_alive() and (time.monotonic() < alone_until or not movable):
                solver.join(0.02)
                continue
            search.improve(20, lambda: (solver.is_alive() or not is_whole) and not self.is_over())
            if neighbourhoods is None and solver.model is not None:
                neighbourhoods = Neighbourhoods(board, solver.model, numbers, movable, search.near)
            if neighbourhoods is not None:
                neighbourhoods.improve(self.until)
        if self.stopped:
            solver.stop()
        else:
            solver.join(max(0.0, self.until + self.grace - time.monotonic()))
        if is_whole:
            part.bound = min(part.bound, tuple(solver.bound))
        self._take(solver, numbers)
        part.bound = max(part.bound, self._worth(numbers))

    def _take(self, solver: Prover, numbers: list[int]) -> bool:
        """Put the meetings where the solver has them, if that is better, or proved and as good."""
        board, found = self.board, solver.place(len(numbers))
        if found is not None:
            before, held = board.total, [board.place[number] for number in numbers]
            board.set(numbers, found)
            if board.total < before or (board.total == before and not solver.is_done):
                board.set(numbers, held)
        return True

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
            start.append(board.begin[number] if column >= 0 else -1)
            attends.append(
                tuple(sorted([*self.meetings[number].required, *attending[number]]))
                if column >= 0
                else ()
            )
        value = board.value()
        begun = {number for part in self.parts for number in part.numbers}
        rest = [number for number in self.possible if number not in begun]
        bound = np.sum(
            [part.bound for part in self.parts] + [self._ideal(rest)], axis=0, dtype=np.int64
        )
        top = max(tuple(bound.tolist()), value.key)
        proved = not rest and all(part.proved for part in self.parts)
        why = {number: self._why(number) for number, column in enumerate(board.place) if column < 0}
        return Plan(
            tuple(start),
            tuple(attends),
            value,
            value if proved else Value.from_key(top),
            proved,
            why,
        )

    def _why(self, number: int) -> Why:
        """Say what keeps a meeting from a place: people who have no common time, or meetings that
        took it.
        """
        board, needed = self.board, set(self.meetings[number].required)
        if not board.starts[number]:
            return Why(self.meetings[number].required, ())
        rivals = [rival for rival in board.rivals(number) if board.place[rival] >= 0]
        starts, begin = (
            self.options[number].start,
            np.array([board.begin[rival] for rival in rivals], np.int64),
        )
        low = starts.searchsorted(
            begin - [self.apart[number][rival] for rival in rivals], side="right"
        )
        high = np.maximum(
            low, starts.searchsorted(begin + [self.apart[rival][number] for rival in rivals])
        )
        count = np.bincount(low, minlength=len(starts) + 1) - np.bincount(
            high, minlength=len(starts) + 1
        )
        nearest = int(count.cumsum()[:-1].argmin())
        way = tuple(
            rival
            for rival, first, stop in zip(rivals, low.tolist(), high.tolist(), strict=True)
            if first <= nearest < stop
        )
        people = {person for rival in way for person in needed & set(self.meetings[rival].required)}
        return Why(tuple(sorted(people)), way)
