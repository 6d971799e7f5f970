"""Missing answers may change the ranking."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.problems import Problem, problems
from tests.engine.test_robust import QUORUMS, key_at


@st.composite
def tiny(draw):
    """Draw problems so small that every answer of one more person can be tried.

    An answer is none or one of two preferences at each tick.
    """
    people, ticks = draw(st.integers(1, 3)), draw(st.integers(2, 5))
    rows = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, ticks - 1))
        rows.append(
            (
                draw(st.integers(0, people - 1)),
                start,
                start + draw(st.integers(1, 3)),
                draw(st.sampled_from((2, 5, 9, 10))),
            )
        )
    required = draw(st.lists(st.booleans(), min_size=people, max_size=people))
    return Problem(people, tuple(rows), tuple(required), draw(st.integers(1, 2)), 0, ticks)


def winner(problem, quorum):
    starts = range(problem.earliest, problem.latest_end - problem.duration + 1)
    return min(starts, key=lambda start: key_at(problem, start, quorum), default=None)


@pytest.mark.parametrize("required", [True, False])
@settings(max_examples=50, deadline=None)
@given(problem=tiny(), quorum=QUORUMS)
def test_an_answer_that_makes_another_start_win_is_found_if_there_is_one(required, problem, quorum):
    now = winner(problem, quorum)
    others = set()
    for answer in product((-1, 2, 10), repeat=problem.latest_end):
        rows = [
            (problem.people, tick, tick + 1, preference)
            for tick, preference in enumerate(answer)
            if preference >= 0
        ]
        joined = Problem(
            problem.people + 1,
            (*problem.rows, *rows),
            (*problem.required, required),
            problem.duration,
            problem.earliest,
            problem.latest_end,
        )
        then = winner(joined, quorum)
        if now is not None and abs(then - now) >= problem.duration:
            others.add(then)

    slot = engine.could_win(problem.profile, required=required, rule=engine.rule_for(quorum))

    assert (slot is not None) == bool(others)
    assert slot is None or slot.start in others


@settings(max_examples=100, deadline=None)
@given(problems(rows=10), st.integers(0, 2), st.integers(0, 2), QUORUMS)
def test_ranks_may_rise_and_fall_so_far(problem, required, optional, quorum):
    p = problem.profile
    starts, silent = p.first.tolist(), [True] * required + [False] * optional
    rows = [
        brute.everybody(problem.rows, problem.people, start, problem.duration) for start in starts
    ]
    whole = Problem(
        problem.people + len(silent),
        problem.rows,
        (*problem.required, *silent),
        problem.duration,
        0,
        0,
    )

    def place(own: int, at_own: int, elsewhere: int) -> int:
        keys = [
            key_at(
                whole, start, quorum, [*row, *[at_own if other == own else elsewhere] * len(silent)]
            )
            for other, (start, row) in enumerate(zip(starts, rows, strict=True))
        ]
        return 1 + sum(key < keys[own] for key in keys)

    best, worst = engine.rank_range(
        p, required=required, optional=optional, rule=engine.rule_for(quorum)
    )

    assert best.tolist() == [place(own, 10, -1) for own in range(len(starts))]
    assert worst.tolist() == [place(own, -1, 10) for own in range(len(starts))]


@settings(max_examples=100, deadline=None)
@given(problems(rows=10), QUORUMS)
def test_with_every_answer_there_a_rank_is_what_it_is(problem, quorum):
    p = problem.profile
    order = np.array(
        [slot.segment for slot in engine.best(p, len(p), rule=engine.rule_for(quorum), apart=0)],
        int,
    )

    best, worst = engine.rank_range(p, required=0, optional=0, rule=engine.rule_for(quorum))

    assert best[order].tolist() == worst[order].tolist() == list(range(1, len(p) + 1))


def test_a_person_may_decide_between_two_and_no_optional_one_against_three():
    free = engine.windows([(0, 0, 10, 5), (1, 0, 10, 5), (0, 20, 30, 5), (1, 20, 30, 5)], 2)
    p = engine.profile(free, 10, earliest=0, latest_end=40)

    slot = engine.could_win(p, required=False)

    assert slot is not None
    assert slot.start == 20
    ahead = engine.windows(
        [(who, start, start + 10, 5) for start in (0, 20) for who in range(4 if start == 0 else 2)],
        4,
    )
    assert (
        engine.could_win(engine.profile(ahead, 10, earliest=0, latest_end=40), required=False)
        is None
    )
