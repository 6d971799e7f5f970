"""Windows take rows in any order, and name the first bad one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine.windows import IDEAL, IF_NEED_BE, WORKS
from tests.engine import brute
from tests.engine.problems import elsewhere, problems


def columns(free):
    return list(
        zip(
            free.who.tolist(),
            free.start.tolist(),
            free.end.tolist(),
            free.preference.tolist(),
            strict=True,
        )
    )


def test_rows_are_sorted_by_person_and_start():
    free = engine.windows([(1, 30, 60, 4), (0, 50, 70, 9), (1, 0, 20, 0), (0, 10, 40, 3)], 2)

    assert columns(free) == [(0, 10, 40, 3), (0, 50, 70, 9), (1, 0, 20, 0), (1, 30, 60, 4)]
    assert free.level.tolist() == [IF_NEED_BE, IDEAL, IF_NEED_BE, WORKS]


def test_columns_of_any_integer_type_will_do():
    free = engine.from_arrays(
        np.array([0, 1], "u2"), np.array([5, 7], "<u4"), np.array([9, 8], ">i8"), [10, 0], people=2
    )

    assert columns(free) == [(0, 5, 9, 10), (1, 7, 8, 0)]
    assert [column.dtype for column in (free.who, free.start, free.end, free.preference)] == [
        "i4",
        "i8",
        "i8",
        "i1",
    ]


def test_sorted_columns_of_the_right_type_are_shared():
    start = np.array([5, 7], np.int64)

    assert (
        engine.from_arrays(
            np.zeros(2, np.int32), start, start + 3, np.ones(2, np.int8), people=1
        ).start
        is start
    )


def test_nobody_and_nothing_are_fine():
    assert len(engine.windows([], 0)) == 0
    assert len(engine.windows([], 3)) == 0
    assert engine.windows([], 3).answered.tolist() == [False, False, False]


def test_who_has_answered():
    assert engine.windows([(2, 0, 1, 0), (0, 0, 1, 0)], 4).answered.tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_levels_are_three_bands():
    assert engine.levels(range(-1, 11)).tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("wrong", [-2, 11, [3, -2], [[11]]])
def test_what_is_no_preference_has_no_level(wrong):
    with pytest.raises(ValueError, match="preference"):
        engine.levels(wrong)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((0, 5, 5, 1), "the end is not after the start"),
        ((0, 5, 4, 1), "the end is not after the start"),
        ((2, 5, 6, 1), "who is not one of 2 people"),
        ((-1, 5, 6, 1), "who is not one of 2 people"),
        ((0, 5, 6, 11), "the preference is not in"),
        ((0, 5, 6, -1), "the preference is not in"),
        ((0, 5, 2**40 + 1, 1), "the time is too far away"),
        ((0, -(2**40) - 1, 6, 1), "the time is too far away"),
        ((0, 5, 6, 300), "the preference is not in"),
        ((2**32, 5, 6, 1), "who is not one of 2 people"),
        ((0, 5, 6), "is not four integers"),
        ((0, 5, 6.5, 1), "is not four integers"),
        ((0, 5, None, 1), "is not four integers"),
        (7, "is not four integers"),
    ],
)
def test_the_first_bad_row_is_named(row, why):
    rows = [(1, 9, 12, 3), (0, 1, 2, 3), row, (0, 9, 9, 9)]

    with pytest.raises(ValueError, match=rf"^Row 2, .*{why}"):
        engine.windows(rows, 2)


def test_a_number_beyond_64_bits_is_refused():
    with pytest.raises(ValueError, match="64 bits"):
        engine.windows([(0, 1, 2**80, 3)], 1)


def test_columns_that_are_not_windows_are_refused():
    with pytest.raises(ValueError, match="equally long"):
        engine.from_arrays([0], [1, 2], [3, 4], [5, 5], people=1)
    with pytest.raises(ValueError, match="equally long"):
        engine.from_arrays([[0]], [[1]], [[3]], [[5]], people=1)
    with pytest.raises(ValueError, match="integers"):
        engine.from_arrays([0], [1.5], [3], [5], people=1)
    with pytest.raises(ValueError, match="people"):
        engine.from_arrays([0], [1], [3], [5], people=-1)
    with pytest.raises(ValueError, match="people"):
        engine.from_arrays([0], [1], [3], [5], people=2**24)


@settings(max_examples=200, deadline=None)
@given(problems(rows=12, ticks=30), st.data())
def test_what_is_left_beside_other_meetings_equals_its_definition(problem, data):
    busy = data.draw(elsewhere(problem.people))

    left = columns(engine.without(problem.windows, busy))

    for person in range(problem.people):
        for tick in range(-12, 1050) if problem.earliest > 900 else range(-15, 60):
            taken = any(who == person and start <= tick < end for who, start, end in busy)
            wanted = -1 if taken else brute.preference_at(problem.rows, person, tick)
            assert brute.preference_at(left, person, tick) == wanted
