"""One person meets many others, one after the other.

The first placement is good, and the best where all can be tried.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine import Meeting, Value, plan, windows
from commontime.engine.assign import cut
from commontime.engine.stars import owner_of
from tests.engine.plans import GRID, best_of_all, is_possible, value_of

DAY = 24 * 60
HALF_HOUR = 30


def one_on_ones(people, **fields):
    return [
        Meeting(
            **{
                "duration": HALF_HOUR,
                "required": (0, who),
                "earliest": 0,
                "latest_end": 9 * DAY,
                **fields,
            }
        )
        for who in people
    ]


def a_week(people, rng):
    """Return a week in which person 0 has a quarter more time than needed.

    The others are free about half of the time.
    """
    rows = []
    for day in range(7):
        rows.append((0, day * DAY + 480, day * DAY + 480 + people * HALF_HOUR * 5 // 28, 9))
        for who in range(1, people + 1):
            begins = np.arange(480, 960, 60)[rng.random(8) < 0.5]
            rows += [
                (who, day * DAY + int(a), day * DAY + int(a) + 60, int(rng.choice([2, 5, 9])))
                for a in begins
            ]
    return windows(rows, people + 1)


def test_sixty_are_placed_well_at_once():
    free, meetings = a_week(60, np.random.default_rng(60)), one_on_ones(range(1, 61))
    slots = cut(free, 0, HALF_HOUR, earliest=0, latest_end=9 * DAY)
    paired = engine.pair_up(slots.preference[1:])

    answer = plan(free, meetings, seconds=0)

    assert is_possible(free, meetings, answer.start, answer.attends)
    assert answer.value.priority >= len(meetings) - paired.histogram[0]
    assert answer.value.priority == 60
    assert answer.value.key <= answer.bound.key


def test_in_slots_there_is_no_better_way():
    # Everybody's times are whole slots, so that no other start can do better: the answer is proved
    # without a search.
    rng = np.random.default_rng(3)
    rows = [(0, 0, 40 * HALF_HOUR, 9)]
    rows += [
        (who, slot * HALF_HOUR, (slot + 1) * HALF_HOUR, 9)
        for who in range(1, 31)
        for slot in rng.permutation(40)[:6].tolist()
    ]
    free = windows(rows, 31)
    pairs = engine.pair_up(cut(free, 0, HALF_HOUR, earliest=0, latest_end=DAY).preference[1:])

    answer = plan(free, one_on_ones(range(1, 31)), align=HALF_HOUR, seconds=0)

    assert answer.value.priority == 30 - pairs.histogram[0]


@st.composite
def stars(draw):
    """Draw four people; one of them meets all others."""
    row = st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(1, 5), st.integers(0, 10))
    rows = draw(st.lists(row, min_size=2, max_size=10))
    free = windows(
        [
            (0, 0, draw(st.integers(4, 8)) * GRID, 7),
            *((w, a * GRID, (a + n) * GRID, x) for w, a, n, x in rows),
        ],
        4,
    )
    length, buffer = draw(st.sampled_from([1, 2])) * GRID, draw(st.sampled_from([0, 0, GRID]))
    return free, one_on_ones((1, 2, 3), duration=length, buffer=buffer, latest_end=45)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stars())
def test_no_way_to_meet_three_is_better(problem):
    free, meetings = problem

    quick, answer = (
        plan(free, meetings, align=GRID, seconds=0),
        plan(free, meetings, align=GRID, seconds=60),
    )

    assert is_possible(free, meetings, quick.start, quick.attends)
    assert quick.value.key <= answer.value.key == best_of_all(free, meetings, GRID)
    assert answer.value == value_of(free, meetings, answer.start, answer.attends)
    assert answer.proved


def test_an_owner_meets_each_of_the_others_once_and_for_as_long():
    assert owner_of(one_on_ones((1, 2, 3))) == 0
    assert owner_of(one_on_ones((1, 2, 2))) is None
    assert owner_of([*one_on_ones((1, 2)), *one_on_ones((3,), duration=45)]) is None
    assert owner_of([*one_on_ones((1, 2)), *one_on_ones((3,), optional=(4,))]) is None
    assert owner_of([*one_on_ones((1, 2)), *one_on_ones((3,), pinned=480)]) is None


@pytest.mark.parametrize("buffer", [0, 10])
def test_slots_are_a_buffer_apart(buffer):
    free = windows([(who, 480, 600, 9) for who in range(4)], 4)

    answer = plan(free, one_on_ones((1, 2, 3), buffer=buffer), align=10, seconds=0)

    assert sorted(answer.start) == [480, 510 + buffer, 540 + 2 * buffer]
    assert answer.value == Value(priority=3, optional=0, if_need_be=0, works=0, preference=54)
