"""The joint problem as a time-indexed integer programme.

x[m, t] = 1: meeting m starts at t; a[m, o, t] <= x[m, t]: optional person o attends it then.
Columns exist only where all required people are free. For each person and each moment at which
something could start, the columns that keep them from it sum up to at most 1: of these cliques only
the maximal ones are kept. Where a journey takes longer than a buffer, each column excludes those of
the other meeting that are too near to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, worth
from .meetings import Meeting
from .windows import Ints

type Floats = NDArray[np.float64]

FEWEST = 4  # columns of a meeting


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Rows lower <= matrix @ v <= upper over variables v in {0, 1}, and what they stand for.

    gain (V, 5): in the order of Value.key; meeting, column (V,); seat (V,): the optional person's
    in the meeting, or -1 for x.
    """

    gain: Ints
    meeting: Ints
    column: Ints
    seat: Ints
    matrix: Any
    lower: Floats
    upper: Floats

    def only(self, kept: NDArray[np.intp]) -> "Programme":
        """Return the programme in which all other variables are 0."""
        matrix = self.matrix[:, kept]
        rows = np.flatnonzero((np.diff(matrix.indptr) > 0) | np.isfinite(self.lower))
        return Programme(
            self.gain[kept],
            self.meeting[kept],
            self.column[kept],
            self.seat[kept],
            matrix[rows],
            self.lower[rows],
            self.upper[rows],
        )

    def at_least(self, gain: Ints, counts: Sequence[int]) -> "Programme":
        """Return the programme of the solutions that are worth at least so much in each of these
        counts.
        """
        from scipy.sparse import csr_array, vstack  # type: ignore[import-untyped]

        matrix = vstack(
            [self.matrix, csr_array(self.gain[:, counts].T.astype(float))], format="csr"
        )
        lower = np.concatenate([self.lower, gain[list(counts)].astype(float)])
        upper = np.concatenate([self.upper, np.full(len(counts), np.inf)])
        return Programme(self.gain, self.meeting, self.column, self.seat, matrix, lower, upper)

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
        some = np.flatnonzero(here & (self.seat >= 0))
        away = [
            pair not in comes
            for pair in zip(self.meeting[some].tolist(), self.seat[some].tolist(), strict=True)
        ]
        here[some[np.array(away, bool)]] = False
        return np.asarray(here)

    def place(self, values: NDArray[np.bool_], meetings: int) -> list[int]:
        """Read each meeting's column out of the variables, -1 for none."""
        place = np.full(meetings, -1)
        chosen = np.flatnonzero(values & (self.seat < 0))
        place[self.meeting[chosen]] = self.column[chosen]
        return [int(column) for column in place]


def few_enough(
    meetings: Sequence[Meeting],
    options: Sequence[Columns],
    apart: list[list[int]],
    place: Sequence[int],
    most: int,
) -> list[Ints] | None:
    """Return which columns of each meeting a programme of at most so many entries may have, or None
    if it may have all.

    A minute's grid over months has hundreds of millions of entries, and even those that fit into
    memory take the solver longer than anybody waits. What fewer columns yield is a plan like any
    other, but no bound. place: the column that each meeting must keep, or -1.
    """
    if entries(meetings, options, apart, most) <= most:
        return None
    share = min(
        max(map(len, options)),
        2 * most // sum(1 + 2 * (len(m.required) + len(m.optional)) for m in meetings),
    )
    while True:
        share = max(FEWEST, share // 2)
        kept = [option.some(share, held) for option, held in zip(options, place, strict=True)]
        if (
            share == FEWEST
            or entries(
                meetings, [o.only(k) for o, k in zip(options, kept, strict=True)], apart, most
            )
            <= most
        ):
            return kept


def entries(
    meetings: Sequence[Meeting], options: Sequence[Columns], apart: list[list[int]], most: int
) -> int:
    """Return how many non-zeros the programme has at most; or some number above `most` as soon as
    that is clear.
    """
    longest = [max(row) for row in apart]
    everybody = [[*m.required, *m.optional] for m in meetings]
    count = sum(
        len(option) * (1 + 2 * len(who)) for option, who in zip(options, everybody, strict=True)
    )
    whose: dict[int, list[int]] = {}
    for number, who in enumerate(everybody):
        for person in who:
            whose.setdefault(person, []).append(number)
    has_journeys = _has_journeys(meetings, apart)
    for numbers in whose.values():
        if count > most:
            break
        if has_journeys:
            count += sum(
                len(options[one]) * len(options[other]) for one, other in combinations(numbers, 2)
            )
        begin = np.concatenate([options[number].start for number in numbers])
        end = begin + np.repeat(
            [longest[number] for number in numbers], [len(options[number]) for number in numbers]
        )
        if len(begin):
            moments = maximal_moments(begin, end)
            count += int((moments.searchsorted(end) - moments.searchsorted(begin)).sum())
    return count


def programme(
    meetings: Sequence[Meeting],
    options: Sequence[Columns],
    apart: list[list[int]],
    *,
    placed: Sequence[bool],
    kept: Sequence[Ints] | None = None,
) -> Programme:
    """Return the programme. placed: which meetings must have a place. kept: the only columns that
    it shall have of each; None: all.
    """
    from scipy.sparse import coo_array

    if kept is not None:
        options = [option.only(some) for option, some in zip(options, kept, strict=True)]
    gain, meeting, column, seat, who = _variables(meetings, options)
    begin = np.concatenate([option.start for option in options])[
        _offsets(options)[meeting] + column
    ]
    shortest = _shortest(meetings, apart, who[0], meeting[who[1]])
    x = np.flatnonzero(seat < 0)
    attends = np.flatnonzero(seat >= 0)
    where = x[(_offsets(options)[meeting] + column)[attends]]  # x of the same meeting and start
    homes = np.unique(meeting)
    table: list[
        tuple[Ints, Ints, Any, Any, float]
    ] = [  # rows, variables, coefficients, lower, upper
        (
            np.searchsorted(homes, meeting[x]),
            x,
            1.0,
            np.array([1.0 if placed[n] else -np.inf for n in homes]),
            1.0,
        ),
        (
            np.tile(np.arange(len(attends)), 2),
            np.concatenate([attends, where]),
            np.repeat([1.0, -1.0], len(attends)),
            -np.inf,
            0.0,
        ),
        (*_cliques(begin[who[1]], shortest, meeting, *who), 1.0, -np.inf, 1.0),
        *(
            (row, variable, 1.0, -np.inf, 1.0)
            for row, variable in _journeys(meetings, apart, begin, meeting, *who)
        ),
    ]
    rows, variables, coefficients, lowers, uppers, done = [], [], [], [], [], 0
    for row, variable, coefficient, lower, upper in table:
        count = int(row.max()) + 1 if len(row) else 0
        rows.append(row + done)
        variables.append(variable)
        coefficients.append(np.broadcast_to(coefficient, row.shape))
        lowers.append(np.broadcast_to(lower, count))
        uppers.append(np.broadcast_to(upper, count))
        done += count
    entries = (np.concatenate(coefficients), (np.concatenate(rows), np.concatenate(variables)))
    matrix = coo_array(entries, shape=(done, len(gain))).tocsr()
    if kept is not None:
        column = np.concatenate(kept)[_offsets(options)[meeting] + column]
    return Programme(
        gain, meeting, column, seat, matrix, np.concatenate(lowers), np.concatenate(uppers)
    )


def _offsets(options: Sequence[Columns]) -> Ints:
    return np.concatenate(([0], np.cumsum([len(option) for option in options])))


def _variables(
    meetings: Sequence[Meeting], options: Sequence[Columns]
) -> tuple[Ints, Ints, Ints, Ints, tuple[Ints, Ints]]:
    """Return gain, meeting, column and seat of each variable, and who is kept by which: (people,),
    (variables,). All x come first.
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
    needed = np.array([len(m.required) for m in meetings])[meeting] * (seat < 0)
    required = np.concatenate(
        [np.tile(m.required, len(option)) for m, option in zip(meetings, options, strict=True)]
    )
    first = np.concatenate(([0], np.cumsum([len(m.optional) for m in meetings])))
    optional = np.array([person for m in meetings for person in m.optional], np.int64)
    attends = np.flatnonzero(seat >= 0)
    people = np.concatenate([required, optional[first[meeting[attends]] + seat[attends]]]).astype(
        np.int64
    )
    kept = np.concatenate([np.repeat(np.arange(len(needed)), needed), attends])
    return np.concatenate(gains), meeting, column, seat, (people, kept)


def _shortest(
    meetings: Sequence[Meeting], apart: list[list[int]], people: Ints, meeting: Ints
) -> Ints:
    """Return how long each meeting at least keeps a person from starting any of their others.
    (people,)
    """
    if not _has_journeys(meetings, apart):
        return np.array([m.duration + m.buffer for m in meetings])[meeting]
    gaps = np.array(apart)
    np.fill_diagonal(gaps, np.iinfo(np.int64).max)
    found = np.empty(len(people), np.int64)
    for person in np.unique(people):
        mine = np.flatnonzero(people == person)
        some, which = np.unique(meeting[mine], return_inverse=True)
        least = (
            gaps[np.ix_(some, some)].min(axis=1)
            if len(some) > 1
            else np.array([meetings[some[0]].duration])
        )
        found[mine] = least[which]
    return found


def _has_journeys(meetings: Sequence[Meeting], apart: list[list[int]]) -> bool:
    return any(max(row) > m.duration + m.buffer for m, row in zip(meetings, apart, strict=True))


def _cliques(
    begin: Ints, length: Ints, meeting: Ints, people: Ints, kept: Ints
) -> tuple[Ints, Ints]:
    """Return, as rows and variables, the maximal sets of columns that keep one person at one
    moment, if of several meetings.
    """
    if not len(kept):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    span = int((begin + length).max() - begin.min()) + 1
    first = begin + people * span  # people end to end on one axis
    stop = first + length
    moments = maximal_moments(first, stop)
    low, high = np.searchsorted(moments, first), np.searchsorted(moments, stop)
    count = high - low
    row = np.repeat(low - np.cumsum(count) + count, count) + np.arange(count.sum())
    variable = np.repeat(kept, count)
    least, most = np.full(len(moments), len(meeting)), np.full(len(moments), -1)
    np.minimum.at(least, row, meeting[variable])
    np.maximum.at(most, row, meeting[variable])
    several = least < most  # of one meeting there is one column anyway
    mine = several[row]
    return (np.cumsum(several) - 1)[row[mine]], variable[mine]


def maximal_moments(begin: Ints, end: Ints) -> Ints:
    """Return moments at which the intervals [begin, end) that hold them are maximal sets, one for
    each of these sets.

    A set grows with each start, so it is maximal at the last start before something ends.
    """
    starts = np.unique(begin)
    closed = np.searchsorted(np.sort(end), starts, side="right")
    return starts[np.append(closed[1:], len(end)) > closed]


def _journeys(
    meetings: Sequence[Meeting],
    apart: list[list[int]],
    begin: Ints,
    meeting: Ints,
    people: Ints,
    kept: Ints,
) -> Iterator[tuple[Ints, Ints]]:
    """Yield rows and variables for each two meetings of a person, if there are journeys: what each
    column excludes of the other.
    """
    if not _has_journeys(meetings, apart):
        return
    whose: dict[tuple[int, int], list[int]] = {}
    order = np.lexsort((kept, meeting[kept], people))
    for position in order.tolist():
        whose.setdefault((int(people[position]), int(meeting[kept[position]])), []).append(
            int(kept[position])
        )
    attended: dict[int, list[int]] = {}
    for person, number in whose:
        attended.setdefault(person, []).append(number)
    for person, numbers in attended.items():
        for one, other in combinations(numbers, 2):
            mine, theirs = np.array(whose[person, one]), np.array(whose[person, other])
            later = begin[theirs] - begin[mine][:, None]
            near = (later < apart[one][other]) & (later > -apart[other][one])
            row, variable = np.nonzero(near)
            some = np.flatnonzero(near.any(axis=1))
            yield (
                np.concatenate([np.arange(len(some)), np.searchsorted(some, row)]),
                np.concatenate([mine[some], theirs[variable]]),
            )
