"""The same question in another form has the same answer."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine.problems import pieces, problems


def answers(problem):
    """Return all answers about a meeting that name nobody.

    These are ranges of starts, slots, and plain numbers.
    """
    p = problem.profile
    misses = engine.near_misses(problem.windows, problem.duration, **problem.bounds)
    ranges = (
        pieces(p),
        pieces(kept(problem)),
        [(miss.first, miss.last, len(miss.missing), miss.short) for miss in misses],
    )
    slots = [*engine.best(p), *(engine.could_win(p, required=must) for must in (True, False))]
    places = [place.tolist() for place in engine.rank_range(p, required=1, optional=2)]
    return ranges, slots, (places, sorted(alone(problem)))


def kept(problem):
    """Return the profile of a ledger that everybody was entered into.

    They come one after the other, with their rows as they are.
    """
    ledger = engine.ledger(engine.windows([], problem.people), problem.duration, **problem.bounds)
    for who in range(problem.people):
        ledger = ledger.replace(who, [times for person, *times in problem.rows if person == who])
    return ledger.profile()


def alone(problem):
    """Return how often each person alone is in the way."""
    return engine.swing(problem.windows, problem.duration, **problem.bounds).tolist()


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(-(10**7), 10**7))
def test_shifting_all_times_shifts_the_answers(problem, by):
    moved = replace(
        problem,
        rows=tuple(
            (who, start + by, end + by, preference) for who, start, end, preference in problem.rows
        ),
        earliest=problem.earliest + by,
        latest_end=problem.latest_end + by,
    )

    (ranges, slots, numbers), (moved_ranges, moved_slots, moved_numbers) = (
        answers(problem),
        answers(moved),
    )

    assert moved_ranges == tuple(
        [(first + by, last + by, *rest) for first, last, *rest in some] for some in ranges
    )
    assert moved_slots == [
        slot and replace(slot, start=slot.start + by, last=slot.last + by) for slot in slots
    ]
    assert moved_numbers == numbers


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_the_order_of_people_does_not_matter(problem, data):
    place = data.draw(st.permutations(range(problem.people)))
    required = [False] * problem.people
    for person, needed in enumerate(problem.required):
        required[place[person]] = needed
    permuted = replace(
        problem,
        rows=tuple((place[who], *rest) for who, *rest in problem.rows),
        required=tuple(required),
    )

    assert answers(permuted) == answers(problem)
    assert [alone(permuted)[there] for there in place] == alone(problem)
    before = engine.preferences(problem.windows, [problem.earliest], problem.duration)[0]
    after = engine.preferences(permuted.windows, [problem.earliest], problem.duration)[0]
    assert (after[list(place)] == before).all()


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_the_order_of_rows_does_not_matter(problem, data):
    assert answers(problem.with_rows(data.draw(st.permutations(problem.rows)))) == answers(problem)


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_a_window_may_be_split_repeated_or_covered(problem, data):
    if not problem.rows:
        return
    chosen = data.draw(st.integers(0, len(problem.rows) - 1))
    who, start, end, preference = problem.rows[chosen]
    others = problem.rows[:chosen] + problem.rows[chosen + 1 :]
    cut = data.draw(st.integers(start, end))
    halves = tuple((who, a, b, preference) for a, b in ((start, cut), (cut, end)) if a < b)
    a, b = sorted((data.draw(st.integers(start, end)), cut))
    below = ((who, a, b, data.draw(st.integers(0, preference))),) if a < b else ()

    assert answers(problem.with_rows(others + halves)) == answers(problem)
    assert answers(problem.with_rows((*problem.rows, problem.rows[chosen]))) == answers(problem)
    assert answers(problem.with_rows(problem.rows + below)) == answers(problem)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_nothing_is_written_to_the_columns_given(problem):
    columns = [np.array(column) for column in zip(*sorted(problem.rows), strict=True)] or [
        np.zeros(0, int)
    ] * 4
    for column in columns:
        column.setflags(write=False)

    free = engine.from_arrays(*columns, people=problem.people)

    assert pieces(engine.profile(free, problem.duration, **problem.bounds)) == pieces(
        problem.profile
    )
    engine.near_misses(free, problem.duration, **problem.bounds)
