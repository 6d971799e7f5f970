"""The best starts come in the order of their rule."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine.rank import FAIR, attending, preference, present, rule_for, scores
from tests.engine import brute
from tests.engine.problems import problems

RULES = {
    "fair": FAIR,
    "most": (present, attending, preference),
    "quorum": rule_for(3),
}


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=250, deadline=None)
@given(
    problem=problems(rows=12, ticks=40),
    k=st.integers(0, 8),
    align=st.none() | st.integers(1, 7),
    apart=st.none() | st.integers(0, 9),
)
def test_best_equals_its_definition(rule, problem, k, align, apart):
    distance = problem.duration if apart is None else apart

    slots = engine.best(problem.profile, k, rule=RULES[rule], align=align, apart=apart)

    wanted = brute.best(brute.profile(*problem.definition), k, rule, align or 1, distance)
    assert [(slot.start, slot.last, slot.key) for slot in slots] == wanted


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("people", [3, 50, 3_000])
def test_the_order_of_many_starts_is_a_plain_sort(rule, people):
    rng = np.random.default_rng(people)
    who, start = rng.integers(0, people, 12_000), rng.integers(0, 10_000, 12_000)
    free = engine.from_arrays(
        who,
        start,
        start + rng.integers(30, 300, 12_000),
        rng.integers(0, 11, 12_000),
        people=people,
    )
    p = engine.profile(free, 30, required=rng.random(people) < 0.1, earliest=0, latest_end=10_000)
    keys = [tuple(int(key(p)[i]) for key in RULES[rule]) for i in range(len(p))]
    order = sorted(range(len(p)), key=lambda i: ([-value for value in keys[i]], i))

    for k in (1, 10, 500, len(p)):
        assert [slot.segment for slot in engine.best(p, k, rule=RULES[rule], apart=0)] == order[:k]


@settings(max_examples=150, deadline=None)
@given(problems(rows=12), st.none() | st.integers(1, 4))
def test_single_starts_rank_as_they_do_among_all(problem, quorum):
    p, rule = problem.profile, engine.rule_for(quorum)
    rows = engine.preferences(problem.windows, p.first, problem.duration)
    starts = engine.profile_of_rows(rows, problem.bounds["required"], problem.duration)

    keys = engine.keys(starts, rule)

    order = sorted(range(len(p)), key=lambda place: (keys[place], -place), reverse=True)
    assert order == [slot.segment for slot in engine.best(p, len(p), rule=rule, apart=0)]
    assert keys == engine.keys(p, rule)


def test_starts_that_reach_the_quorum_come_first():
    # the required one can come with nobody, or two others can come without them
    free = engine.windows([(0, 0, 30, 9), (1, 60, 90, 5), (2, 60, 90, 5)], 3)
    p = engine.profile(free, 30, required=np.array([True, False, False]), earliest=0, latest_end=90)

    assert engine.best(p, 1, rule=engine.rule_for(None))[0].start == 0
    assert engine.best(p, 1, rule=engine.rule_for(2))[0].start == 60


def test_a_slot_tells_its_counts():
    free = engine.windows([(0, 0, 60, 9), (1, 0, 60, 2), (2, 10, 45, 5)], 4)
    p = engine.profile(
        free, 30, required=np.array([True, True, False, False]), earliest=0, latest_end=60
    )

    (slot,) = engine.best(p, 1)

    assert (slot.start, slot.last, slot.segment) == (10, 15, 1)
    assert (slot.required, slot.everyone) == ((0, 1, 0, 1), (1, 1, 1, 1))
    assert (slot.required_preference, slot.preference) == (11, 16)
    assert slot.key == (0, 3, -1, -1, 16)


@settings(max_examples=200, deadline=None)
@given(problems(rows=10), st.data())
def test_more_free_time_never_worsens_the_best(problem, data):
    person = data.draw(st.integers(0, problem.people - 1))
    start = problem.earliest + data.draw(st.integers(-5, 24))
    more = problem.with_rows(
        (
            *problem.rows,
            (person, start, start + data.draw(st.integers(1, 12)), data.draw(st.integers(0, 10))),
        )
    )

    before, after = engine.best(problem.profile, 1), engine.best(more.profile, 1)

    assert [slot.key for slot in after] >= [slot.key for slot in before]


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 2**61),
    st.lists(
        st.tuples(*3 * [st.integers(-1, 1) | st.integers(-(2**61), 2**61)]), min_size=1, max_size=9
    ),
)
def test_scores_order_as_the_keys_do_however_large(unit, rows):
    """The keys of a crowd may not fit into one number."""
    rows = [tuple(value % unit - unit // 2 for value in row) for row in rows]

    numbers = scores([np.array(column) for column in zip(*rows, strict=True)]).tolist()

    assert min(numbers) >= 0
    for (one, a), (other, b) in product(zip(rows, numbers, strict=True), repeat=2):
        assert (one < other, one == other) == (a < b, a == b)


def test_leximin_is_the_order_of_the_histograms():
    """Lemma 3: sorted levels order as the counts from the lowest level up."""
    vectors = list(product(range(4), repeat=4))

    for one, other in product(vectors, repeat=2):
        counts = [[vector.count(level) for level in range(4)] for vector in (one, other)]
        assert (sorted(one) > sorted(other)) == (counts[0] < counts[1])


def test_arguments_that_make_no_sense_are_refused():
    p = engine.profile(engine.windows([(0, 0, 60, 9)], 1), 30, earliest=0, latest_end=60)

    for wrong in ({"align": 0}, {"apart": -1}, {"rule": ()}, {"k": -1}):
        with pytest.raises(ValueError):
            engine.best(p, **wrong)
    for level in (0, 4):
        with pytest.raises(ValueError, match="level"):
            p.at_least(level)
