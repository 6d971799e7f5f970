"""Write the joint problem as a time-indexed integer programme.

The formulation is that of Sousa and Wolsey (Mathematical Programming 54, 1992). x[m, t] = 1:
meeting m starts at t; a[m, o, t] <= x[m, t]: optional person o attends it then. Columns exist only
where all required people are free. For each person and each moment at which something could start,
the columns that occupy them then sum up to at most 1; of these cliques only the maximal ones are
kept. Where a journey takes longer than a buffer, each column excludes those of the other meeting
that are too near to it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, worth
from .meetings import Meeting
from .sparse import Floats, Matrix, from_entries
from .windows import Ints, consecutive, distinct

FEWEST = 4  # columns of a meeting


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Rows lower <= matrix @ v <= upper over variables v in {0, 1}.

    gain (V, 5): in the order of Value.key. meeting, column (V,). seat (V,): the optional person's
    seat in the meeting, or -1 for x.
    """

    gain: Ints
    meeting: Ints
    column: Ints
    seat: Ints
    matrix: Matrix
    lower: Floats
    upper: Floats

    def only(self, kept: NDArray[np.intp]) -> "Programme":
        """Return the programme in which all other variables are 0."""
        matrix = self.matrix.only(kept)
        rows = np.flatnonzero((np.diff(matrix.start) > 0) | np.isfinite(self.lower))
        return Programme(
            self.gain[kept],
            self.meeting[kept],
            self.column[kept],
            self.seat[kept],
            matrix.without_empty(rows),
            self.lower[rows],
            self.upper[rows],
        )

    def at_least(self, gain: Ints, counts: Sequence[int]) -> "Programme":
        """Return the programme of solutions worth at least `gain`. counts: in these counts only."""
        some = self.gain[:, counts].astype(float)
        column, row = np.nonzero(some)
        more = from_entries(row, column, some[column, row], rows=len(counts), columns=len(some))
        return replace(
            self,
            matrix=self.matrix.above(more),
            lower=np.concatenate([self.lower, gain[list(counts)].astype(float)]),
            upper=np.concatenate([self.upper, np.full(len(counts), np.inf)]),
        )

    def values_of(
        self, place: Sequence[int], attends: Sequence[Sequence[int]], meetings: Sequence[Meeting]
    ) -> NDArray[np.bool_]:
        """Return the variables of a placement. The inverse of `place`."""
        comes = {
            (n, seat)
            for n, m in enumerate(meetings)
            for seat, person in enumerate(m.optional)
            if person in attends[n]
        }
        here = np.array(place)[self.meeting] == self.column
        optional = np.flatnonzero(here & (self.seat >= 0))
        pairs = zip(self.meeting[optional].tolist(), self.seat[optional].tolist(), strict=True)
        away = np.array([pair not in comes for pair in pairs], bool)
        here[optional[away]] = False
        return np.asarray(here)

    def place(self, values: NDArray[np.bool_], meetings: int) -> list[int]:
        """Return each meeting's column in a solution, -1 for none."""
        place = np.full(meetings, -1)
        chosen = np.flatnonzero(values & (self.seat < 0))
        place[self.meeting[chosen]] = self.column[chosen]
        return [int(column) for column in place]


def few_enough(
    meetings: Sequence[Meeting],
    options: Sequence[Columns],
    apart: list[list[int]],
    place: Sequence[int],
    limit: int,
) -> list[Ints] | None:
    """Return the columns for a programme of at most `limit` entries.

    None: all. A minute's grid over months has hundreds of millions of entries, and even those that
    fit into memory take the solver longer than anybody waits. Fewer columns yield a plan like any
    other, but no bound. place: the column that each meeting must keep, or -1.
    """
    if entries(meetings, options, apart, limit) <= limit:
        return None
    seats = sum(1 + 2 * (len(m.required) + len(m.optional)) for m in meetings)
    share = min(max(map(len, options)), 2 * limit // seats)
    while True:
        share = max(FEWEST, share // 2)
        kept = [option.sample(share, held) for option, held in zip(options, place, strict=True)]
        samples = [option.only(rows) for option, rows in zip(options, kept, strict=True)]
        if share == FEWEST or entries(meetings, samples, apart, limit) <= limit:
            return kept


def entries(
    meetings: Sequence[Meeting], options: Sequence[Columns], apart: list[list[int]], limit: int
) -> int:
    """Bound the programme's non-zeros. Stop counting once there are more than `limit`."""
    sizes = [1 + 2 * (len(m.required) + len(m.optional)) for m in meetings]
    count = sum(len(option) * size for option, size in zip(options, sizes, strict=True))
    longest, has_journeys = [max(row) for row in apart], _has_journeys(meetings, apart)
    for numbers in _meetings_by_person(meetings):
        if count > limit:
            break
        if has_journeys:
            pairs = combinations([len(options[number]) for number in numbers], 2)
            count += sum(one * other for one, other in pairs)
        count += _clique_entries(numbers, options, longest)
    return count


def _meetings_by_person(meetings: Sequence[Meeting]) -> Iterable[list[int]]:
    """Return the numbers of each person's meetings."""
    numbers: dict[int, list[int]] = {}
    for number, meeting in enumerate(meetings):
        for person in (*meeting.required, *meeting.optional):
            numbers.setdefault(person, []).append(number)
    return numbers.values()


def _clique_entries(numbers: list[int], options: Sequence[Columns], longest: list[int]) -> int:
    """Bound the entries of one person's cliques.

    longest: the most ticks each meeting may occupy a person.
    """
    sizes = [len(options[number]) for number in numbers]
    begin = np.concatenate([options[number].start for number in numbers])
    if not len(begin):
        return 0
    end = begin + np.repeat([longest[number] for number in numbers], sizes)
    moments = maximal_moments(begin, end)
    return int((moments.searchsorted(end) - moments.searchsorted(begin)).sum())


class _Rows(NamedTuple):
    """Rows of a programme: their entries and limits."""

    row: Ints
    variable: Ints
    coefficient: Any
    lower: Any = -np.inf
    upper: float = 1.0


def programme(
    meetings: Sequence[Meeting],
    options: Sequence[Columns],
    apart: list[list[int]],
    *,
    placed: Sequence[bool],
    kept: Sequence[Ints] | None = None,
) -> Programme:
    """Return the programme of a joint plan.

    placed: the meetings that must have a place. kept: the only columns it shall have of each
    meeting; None: all.
    """
    if kept is not None:
        options = [option.only(rows) for option, rows in zip(options, kept, strict=True)]
    gain, meeting, column, seat, who = _variables(meetings, options)
    offsets = np.concatenate(([0], np.cumsum([len(option) for option in options])))[meeting]
    begin = np.concatenate([option.start for option in options])[offsets + column]
    shortest = _shortest(meetings, apart, who[0], meeting[who[1]])
    clique_row, clique_variable = _cliques(begin[who[1]], shortest, meeting, *who)
    matrix, lower, upper = _assemble(
        [
            _one_start_each(meeting, seat, placed),
            _attend_where_placed(seat, offsets + column),
            _Rows(clique_row, clique_variable, 1.0),
            *(_Rows(*rows, 1.0) for rows in _journeys(meetings, apart, begin, meeting, *who)),
        ],
        len(gain),
    )
    if kept is not None:
        column = np.concatenate(kept)[offsets + column]
    return Programme(gain, meeting, column, seat, matrix, lower, upper)


def _one_start_each(meeting: Ints, seat: Ints, placed: Sequence[bool]) -> _Rows:
    """Return a row for each meeting: it has at most one start.

    It has exactly one if it is placed.
    """
    x = np.flatnonzero(seat < 0)
    homes = distinct(meeting)
    lower = np.array([1.0 if placed[number] else -np.inf for number in homes])
    return _Rows(np.searchsorted(homes, meeting[x]), x, 1.0, lower)


def _attend_where_placed(seat: Ints, x_of: Ints) -> _Rows:
    """Return a row for each optional attendance: a <= x."""
    attends = np.flatnonzero(seat >= 0)
    return _Rows(
        np.tile(np.arange(len(attends)), 2),
        np.concatenate([attends, np.flatnonzero(seat < 0)[x_of[attends]]]),
        np.repeat([1.0, -1.0], len(attends)),
        upper=0.0,
    )


def _assemble(blocks: Sequence[_Rows], variables: int) -> tuple[Matrix, Floats, Floats]:
    """Stack blocks of rows. Return the sparse matrix and the limits of its rows."""
    sizes = [int(block.row.max()) + 1 if len(block.row) else 0 for block in blocks]
    offsets = np.cumsum([0, *sizes])
    row = np.concatenate([block.row + at for block, at in zip(blocks, offsets, strict=False)])
    variable = np.concatenate([block.variable for block in blocks])
    value = np.concatenate([np.broadcast_to(b.coefficient, b.row.shape) for b in blocks])
    lower, upper = (
        np.concatenate([np.broadcast_to(limit, n) for limit, n in zip(limits, sizes, strict=True)])
        for limits in ([block.lower for block in blocks], [block.upper for block in blocks])
    )
    matrix = from_entries(row, variable, value, rows=int(offsets[-1]), columns=variables)
    return matrix, lower, upper


def _variables(
    meetings: Sequence[Meeting], options: Sequence[Columns]
) -> tuple[Ints, Ints, Ints, Ints, tuple[Ints, Ints]]:
    """Return gain, meeting, column and seat of each variable.

    All x come first. Also return pairs of a person and a variable that occupies them: (pairs,),
    (pairs,).
    """
    gains, numbers, columns, seats = [option.gain for option in options], [], [], []
    for number, option in enumerate(options):
        numbers.append(np.full(len(option), number))
        columns.append(np.arange(len(option)))
        seats.append(np.full(len(option), -1))
    for number, option in enumerate(options):
        seat, here = np.nonzero(option.optional.T >= 0)
        gains.append(worth(option.optional[here, seat]))
        numbers.append(np.full(len(here), number))
        columns.append(here)
        seats.append(seat)
    meeting, column, seat = (np.concatenate(part) for part in (numbers, columns, seats))
    occupied = _occupied(meetings, options, meeting, seat)
    return np.concatenate(gains), meeting, column, seat, occupied


def _occupied(
    meetings: Sequence[Meeting], options: Sequence[Columns], meeting: Ints, seat: Ints
) -> tuple[Ints, Ints]:
    """Return pairs of a person and a variable that occupies them."""
    needed = np.array([len(m.required) for m in meetings])[meeting] * (seat < 0)
    required = [np.tile(m.required, len(o)) for m, o in zip(meetings, options, strict=True)]
    first = np.concatenate(([0], np.cumsum([len(m.optional) for m in meetings])))
    optional = np.array([person for m in meetings for person in m.optional], np.int64)
    attends = np.flatnonzero(seat >= 0)
    people = np.concatenate([*required, optional[first[meeting[attends]] + seat[attends]]])
    variables = np.concatenate([np.repeat(np.arange(len(needed)), needed), attends])
    return people.astype(np.int64), variables


def _shortest(
    meetings: Sequence[Meeting], apart: list[list[int]], people: Ints, meeting: Ints
) -> Ints:
    """Return how long each meeting at least occupies a person, (people,)."""
    if not _has_journeys(meetings, apart):
        return np.array([m.duration + m.buffer for m in meetings])[meeting]
    gaps = np.array(apart)
    np.fill_diagonal(gaps, np.iinfo(np.int64).max)
    shortest = np.empty(len(people), np.int64)
    for person in distinct(people):
        mine = np.flatnonzero(people == person)
        numbers, which = np.unique(meeting[mine], return_inverse=True)
        if len(numbers) > 1:
            shortest[mine] = gaps[np.ix_(numbers, numbers)].min(axis=1)[which]
        else:
            shortest[mine] = meetings[numbers[0]].duration
    return shortest


def _has_journeys(meetings: Sequence[Meeting], apart: list[list[int]]) -> bool:
    return any(max(row) > m.duration + m.buffer for m, row in zip(meetings, apart, strict=True))


def _cliques(
    begin: Ints, length: Ints, meeting: Ints, people: Ints, occupied: Ints
) -> tuple[Ints, Ints]:
    """Return the maximal cliques of several meetings as rows and variables.

    A clique is a set of columns that all occupy one person at one moment. people, occupied: pairs
    of a person and a variable.
    """
    if not len(occupied):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    span = int((begin + length).max() - begin.min()) + 1
    first = begin + people * span  # people end to end on one axis
    stop = first + length
    moments = maximal_moments(first, stop)
    low, high = np.searchsorted(moments, first), np.searchsorted(moments, stop)
    count = high - low
    row = consecutive(low, count)
    variable = np.repeat(occupied, count)
    least, most = np.full(len(moments), len(meeting)), np.full(len(moments), -1)
    np.minimum.at(least, row, meeting[variable])
    np.maximum.at(most, row, meeting[variable])
    several = least < most  # of one meeting there is one column anyway
    mine = several[row]
    return (np.cumsum(several) - 1)[row[mine]], variable[mine]


def maximal_moments(begin: Ints, end: Ints) -> Ints:
    """Return a moment in each maximal set of overlapping intervals.

    A set grows with each start, so it is maximal at the last start before something ends: the
    maximal cliques of an interval graph (Fulkerson and Gross, Pacific Journal of Mathematics 15,
    1965).
    """
    starts = distinct(begin)
    closed = np.searchsorted(np.sort(end), starts, side="right")
    return starts[np.append(closed[1:], len(end)) > closed]


def _journeys(
    meetings: Sequence[Meeting],
    apart: list[list[int]],
    begin: Ints,
    meeting: Ints,
    people: Ints,
    occupied: Ints,
) -> Iterator[tuple[Ints, Ints]]:
    """Yield rows and variables for each two meetings with a journey.

    A row says that a column excludes those of the other meeting that are too near to it.
    """
    if not _has_journeys(meetings, apart):
        return
    variables: dict[int, dict[int, list[int]]] = {}  # by person and meeting
    order = np.lexsort((occupied, meeting[occupied], people))
    for person, variable in zip(people[order].tolist(), occupied[order].tolist(), strict=True):
        mine = variables.setdefault(person, {})
        mine.setdefault(int(meeting[variable]), []).append(variable)
    for by_meeting in variables.values():
        for one, other in combinations(by_meeting, 2):
            first, second = np.array(by_meeting[one]), np.array(by_meeting[other])
            later = begin[second] - begin[first][:, None]
            near = (later < apart[one][other]) & (later > -apart[other][one])
            row, variable = np.nonzero(near)
            excluding = np.flatnonzero(near.any(axis=1))
            yield (
                np.concatenate([np.arange(len(excluding)), np.searchsorted(excluding, row)]),
                np.concatenate([first[excluding], second[variable]]),
            )
