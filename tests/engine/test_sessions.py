"""Two sessions reach as many people as possible."""

from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine import sessions
from tests.engine import brute
from tests.engine.problems import problems

ALIGNS = st.sampled_from((None, 2, 5))


def best_pair(problem, align):
    pair = engine.two_sessions(problem.windows, problem.duration, **problem.bounds, align=align)
    return pair and (pair.first, pair.second, pair.preferences.tolist(), pair.proved)


def by_definition(problem, align):
    """Try every pair of starts that do not overlap."""
    starts = [
        t
        for t in range(problem.earliest, problem.latest_end - problem.duration + 1)
        if t % (align or 1) == 0
    ]
    rows = {
        start: brute.everybody(problem.rows, problem.people, start, problem.duration)
        for start in starts
    }
    best = None
    for first in starts:
        for second in starts:
            if second - first < problem.duration:
                continue
            each = [max(pair) for pair in zip(rows[first], rows[second], strict=True)]
            cannot, if_need_be, works, _ = brute.histogram(each)
            missing = sum(
                value < 0 and must for value, must in zip(each, problem.required, strict=True)
            )
            key = (cannot, missing, if_need_be, works, -brute.happy(each), first, second)
            if best is None or key < best[0]:
                best = (key, (first, second, each, True))
    return best and best[1]


@settings(max_examples=125, deadline=None)
@given(problems(people=st.integers(1, 6), rows=14, ticks=26), ALIGNS)
def test_the_pair_equals_its_definition(problem, align):
    assert best_pair(problem, align) == by_definition(problem, align)


@settings(max_examples=40, deadline=None)
@given(
    problems(
        people=st.integers(65, 70), rows=14, ticks=20, preferences=st.sampled_from((0, 3, 5, 9, 10))
    ),
    ALIGNS,
)
def test_many_people_many_words_small_parts(problem, align):
    with patch.multiple(sessions, _PAIRS_AT_ONCE=1, _ROWS_AT_ONCE=3):
        assert best_pair(problem, align) == by_definition(problem, align)


@settings(max_examples=40, deadline=None)
@given(problems(people=st.integers(2, 6), rows=14), st.data())
def test_shifting_time_or_renaming_people_changes_nothing_else(problem, data):
    place = data.draw(st.permutations(range(problem.people)))
    rows = [
        (place[who], start + 70, end + 70, preference)
        for who, start, end, preference in problem.rows
    ]
    required = np.zeros(problem.people, bool)
    required[np.array(place)] = problem.required

    one = engine.two_sessions(problem.windows, problem.duration, **problem.bounds)
    other = engine.two_sessions(
        engine.windows(rows, problem.people),
        problem.duration,
        required=required,
        earliest=problem.earliest + 70,
        latest_end=problem.latest_end + 70,
    )

    assert (one is None) == (other is None)
    if one and other:
        assert (other.first, other.second) == (one.first + 70, one.second + 70)
        assert other.preferences[np.array(place)].tolist() == one.preferences.tolist()


def test_an_ended_search_tells_its_best_pair_and_that_it_is_not_proved():
    free = engine.windows([(0, 0, 60, 5), (1, 100, 160, 5), (2, 200, 260, 5)], 3)

    pair = engine.two_sessions(free, 60, earliest=0, latest_end=300, most_pairs=0)

    assert pair is not None
    assert (pair.first, pair.second, pair.proved) == (0, 100, False)


def test_everybody_is_reached_over_two_days():
    day, hour = 24 * 60, 60
    free = engine.windows(
        [
            (0, 9 * hour, 10 * hour, 9),
            (1, 9 * hour, 10 * hour, 2),
            (1, day, day + hour, 8),
            (2, day, day + hour, 8),
        ],
        3,
    )

    pair = engine.two_sessions(free, hour, earliest=0, latest_end=2 * day)

    assert pair is not None
    assert (pair.first, pair.second, pair.preferences.tolist()) == (9 * hour, day, [9, 8, 8])
