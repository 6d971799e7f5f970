"""A ledger's profile is that of the present windows, after any edits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.problems import pieces, problems


def opened(problem):
    return engine.ledger(problem.windows, problem.duration, **problem.bounds)


def edited(problem, who, times):
    """Replace one person's windows by (start, end, preference)."""
    return problem.with_rows(
        [row for row in problem.rows if row[0] != who] + [(who, *time) for time in times]
    )


@st.composite
def edits(draw, problem):
    """Draw edits: a person, and windows kept, shifted, replaced or removed.

    Some begin or end with the bounds.
    """
    who = draw(st.integers(0, problem.people - 1))
    if draw(st.booleans()):
        by = draw(st.integers(-2, 2))
        return who, [
            (start + by, end + by, preference)
            for other, start, end, preference in problem.rows
            if other == who
        ]
    near = st.integers(problem.earliest - 3, max(problem.latest_end, problem.earliest) + 3)
    bound = near | st.sampled_from((problem.earliest, problem.latest_end))
    times = draw(st.lists(st.tuples(bound, bound, st.integers(0, 10)), max_size=5))
    return who, [(min(a, b), max(a, b), preference) for a, b, preference in times if a != b]


@settings(max_examples=300, deadline=None)
@given(problems(), st.data())
def test_a_ledger_equals_the_definition_after_any_edits(problem, data):
    ledger = opened(problem)
    assert pieces(ledger.profile()) == brute.profile(*problem.definition)

    for _ in range(data.draw(st.integers(1, 5))):
        who, times = data.draw(edits(problem))
        problem, ledger = edited(problem, who, times), ledger.replace(who, times)

        assert pieces(ledger.profile()) == brute.profile(*problem.definition)


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_what_a_ledger_is_made_from_stays_as_it_is(problem, data):
    first = opened(problem)
    one, other = data.draw(edits(problem)), data.draw(edits(problem))
    second = first.replace(*one)

    third = second.replace(*other)

    assert pieces(first.profile()) == pieces(problem.profile)
    assert pieces(second.profile()) == pieces(edited(problem, *one).profile)
    assert pieces(third.profile()) == pieces(edited(edited(problem, *one), *other).profile)


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_an_edit_taken_back_leaves_no_trace(problem, data):
    ledger = opened(problem)
    who, times = data.draw(edits(problem))

    back = ledger.replace(who, times).replace(
        who, [row[1:] for row in problem.rows if row[0] == who]
    )

    for column in ("at", "bounds", "change"):
        assert (getattr(back, column) == getattr(ledger, column)).all()


@settings(max_examples=100, deadline=None)
@given(problems(), st.data())
def test_everybody_may_come_one_after_the_other(problem, data):
    ledger = opened(problem.with_rows(()))

    for who in data.draw(st.permutations(range(problem.people))):
        ledger = ledger.replace(who, [row[1:] for row in problem.rows if row[0] == who])

    assert pieces(ledger.profile()) == pieces(problem.profile)
    for who in range(problem.people):
        ledger = ledger.replace(who, [])
    assert pieces(ledger.profile()) == pieces(problem.with_rows(()).profile)


@pytest.mark.parametrize("people", [300, 5_000])
def test_a_crowd_that_changes_its_mind(people):
    """Counts in one whole number, and in two."""
    rng = np.random.default_rng(people)

    def times(count):
        start = rng.integers(0, 3_000, count)
        return np.stack([start, start + rng.integers(30, 300, count), rng.integers(0, 11, count)])

    who, columns = np.sort(rng.integers(0, people, 20_000)), times(20_000)
    asked = {"required": rng.random(people) < 0.4, "earliest": 100, "latest_end": 3_000}
    ledger = engine.ledger(engine.from_arrays(who, *columns, people=people), 45, **asked)

    for person in rng.integers(0, people, 40).tolist():
        new = times(int(rng.integers(0, 9)))
        who, columns = (
            np.append(who, np.full(new.shape[1], person)),
            np.append(columns, new, axis=1),
        )
        kept = (who != person) | (np.arange(len(who)) >= len(who) - new.shape[1])
        who, columns = who[kept], columns[:, kept]
        ledger = ledger.replace(person, new.T)

    anew = engine.profile(engine.from_arrays(who, *columns, people=people), 45, **asked)
    assert pieces(ledger.profile()) == pieces(anew)
    assert engine.best(ledger.profile()) == engine.best(anew)


def test_who_leaves_as_another_comes_still_ends_a_segment():
    ledger = engine.ledger(
        engine.windows([(0, 0, 60, 5), (1, 31, 90, 5)], 2), 30, earliest=0, latest_end=90
    )

    assert ledger.profile().first.tolist() == [0, 31]
    assert ledger.profile().attending.tolist() == [1, 1]
    assert ledger.replace(1, [(0, 90, 5)]).profile().first.tolist() == [0, 31]
    assert ledger.replace(0, []).profile().first.tolist() == [0, 31]
    assert ledger.replace(0, []).replace(1, []).profile().first.tolist() == [0]


def test_far_horizons_stay_exact_and_small():
    century = 52_560_000
    ledger = engine.ledger(
        engine.windows([(0, 0, 60, 9)], 1),
        60,
        earliest=-1_000 * century,
        latest_end=1_000 * century,
    )

    ledger = ledger.replace(0, [(0, 60, 9), (900 * century, 900 * century + 61, 4)])

    assert ledger.profile().first.tolist() == [
        -1_000 * century,
        0,
        1,
        900 * century,
        900 * century + 2,
    ]
    assert ledger.profile().preference.tolist() == [0, 9, 0, 4, 0]


def test_rows_given_may_be_used_for_something_else_afterwards():
    rows = np.array([[0, 60, 9]])
    ledger = engine.ledger(engine.windows([], 1), 30, earliest=0, latest_end=90).replace(0, rows)

    rows[:] = 7

    assert ledger.replace(0, []).profile().first.tolist() == [0]


@pytest.mark.parametrize("who", [-1, 2])
@pytest.mark.parametrize("rows", [[], [(0, 60, 9)]])
def test_nobody_has_no_windows(who, rows):
    ledger = engine.ledger(engine.windows([(0, 0, 60, 9)], 2), 30, earliest=0, latest_end=60)

    with pytest.raises(ValueError, match=f"who={who} is not one of 2 people"):
        ledger.replace(who, rows)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((5, 5, 1), "^Row 1, .*the end is not after the start"),
        ((5, 6, 11), "^Row 1, .*the preference is not in"),
        ((5, 6, -1), "^Row 1, .*the preference is not in"),
        ((5, 2**40 + 1, 1), "^Row 1, .*the time is too far away"),
        ((5, 6.5, 1), "integers"),
        ((5, 2**80, 1), "integers"),
        ((5, None, 1), "integers"),
        ((5, 6), "inhomogeneous"),
        ((0, 5, 6, 1), "inhomogeneous"),
    ],
)
def test_a_bad_row_is_refused_and_changes_nothing(row, why):
    ledger = engine.ledger(engine.windows([(0, 0, 60, 9)], 2), 30, earliest=0, latest_end=60)

    with pytest.raises(ValueError, match=why):
        ledger.replace(0, [(0, 30, 9), row, (9, 9, 9)])
    assert pieces(ledger.profile()) == pieces(
        engine.profile(ledger.free, 30, earliest=0, latest_end=60)
    )


@pytest.mark.parametrize("rows", [7, [7], [[0, 60]], [[[0, 60, 9]]]])
def test_what_is_no_table_is_refused(rows):
    ledger = engine.ledger(engine.windows([], 2), 30, earliest=0, latest_end=60)

    with pytest.raises(ValueError, match="three integers"):
        ledger.replace(0, rows)
