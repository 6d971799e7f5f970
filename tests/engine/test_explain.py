"""Preferences, and starts that nearly work."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.problems import problems
from tests.engine.test_profile import dense, packed


def near_misses(problem, k):
    misses = engine.near_misses(problem.windows, problem.duration, **problem.bounds, k=k)
    return [(miss.first, miss.last, miss.missing, miss.short) for miss in misses]


@settings(max_examples=300, deadline=None)
@given(problems(), st.lists(st.integers(-10, 30), max_size=6), st.integers(0, 3))
def test_preferences_and_attendance_equal_their_definition(problem, starts, repeat):
    starts = [problem.earliest + start for start in starts] * repeat

    matrix = engine.preferences(problem.windows, starts, problem.duration)

    wanted = [
        list(brute.everybody(problem.rows, problem.people, start, problem.duration))
        for start in starts
    ]
    assert matrix.shape == (len(starts), problem.people)
    assert matrix.tolist() == wanted
    for start, row in zip(starts, wanted, strict=True):
        assert engine.attendance(problem.windows, start, problem.duration).tolist() == [
            brute.level(value) for value in row
        ]


@settings(max_examples=150, deadline=None)
@given(problems(), st.lists(st.integers(-10, 30), max_size=4), st.data())
def test_preferences_of_some_are_those_columns(problem, starts, data):
    starts = [problem.earliest + start for start in starts]
    some = np.array(data.draw(st.lists(st.integers(0, problem.people - 1), unique=True)), np.int64)

    table = engine.preferences(problem.windows, starts, problem.duration, among=some)

    assert (
        table.tolist()
        == engine.preferences(problem.windows, starts, problem.duration)[:, some].tolist()
    )


@settings(max_examples=600, deadline=None)
@given(problems(rows=10, ticks=30), st.integers(0, 6))
def test_near_misses_equal_their_definition(problem, k):
    assert near_misses(problem, k) == brute.near_misses(*problem.definition, k)


@settings(max_examples=200, deadline=None)
@given(problems(rows=10, ticks=30))
def test_near_misses_dense_and_packed_agree(problem):
    with dense():
        one = near_misses(problem, 9)
    with packed():
        other = near_misses(problem, 9)

    assert one == other


@settings(max_examples=200, deadline=None)
@given(problems())
def test_a_near_miss_works_without_the_missing(problem):
    for miss in engine.near_misses(problem.windows, problem.duration, **problem.bounds):
        can = engine.attendance(problem.windows, miss.last, problem.duration) > 0
        needed = set(np.flatnonzero(problem.required).tolist())

        assert miss.missing == tuple(sorted(needed - set(np.flatnonzero(can).tolist())))


@settings(max_examples=200, deadline=None)
@given(problems(rows=10), st.data())
def test_more_free_time_never_makes_the_nearest_miss_farther(problem, data):
    person = data.draw(st.integers(0, problem.people - 1))
    start = problem.earliest + data.draw(st.integers(-5, 24))
    more = problem.with_rows(
        (
            *problem.rows,
            (person, start, start + data.draw(st.integers(1, 12)), data.draw(st.integers(0, 10))),
        )
    )

    def nearest(problem):
        if (problem.profile.missing == 0).any():
            return 0, 0
        return next(((len(who), short) for _, _, who, short in near_misses(problem, 1)), None)

    before, after = nearest(problem), nearest(more)
    assert before == after or after < before


def test_a_near_miss_names_whom_to_ask_for_how_much():
    hour = 60
    free = engine.windows(
        [
            (0, 9 * hour, 12 * hour, 9),
            (1, 9 * hour, 10 * hour, 5),
            (1, 11 * hour + 20, 15 * hour, 5),
        ],
        2,
    )

    (nearest, *_) = engine.near_misses(free, 90, earliest=8 * hour, latest_end=16 * hour)

    assert nearest == engine.NearMiss(first=9 * hour, last=9 * hour, missing=(1,), short=30)


def test_near_misses_in_far_horizons_stay_exact_and_small():
    century = 52_560_000
    free = engine.windows(
        [(0, 0, 60, 9), (1, 0, 50, 4), (1, 90 * century, 90 * century + 60, 9)], 2
    )

    nearest, *others = engine.near_misses(
        free, 60, earliest=-100 * century, latest_end=100 * century
    )

    assert nearest == engine.NearMiss(first=0, last=0, missing=(1,), short=10)
    assert [(miss.first, miss.missing, miss.short) for miss in others] == [
        (90 * century, (0,), 60),
        (-1, (0, 1), 1 + 10),
        (1, (0, 1), 1 + 11),
        (90 * century + 1, (0, 1), 60 + 1),
    ]


def test_starts_that_suit_all_required_people_are_no_misses():
    free = engine.windows([(0, 0, 100, 9)], 1)

    assert engine.near_misses(free, 30, earliest=0, latest_end=100) == []
    assert (
        engine.near_misses(free, 30, required=np.array([False]), earliest=0, latest_end=200) == []
    )
